//! Addresses to listen on (`bind`): `*`, IPv4, IPv6, and with `-` in front those that may be missing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::{Arguments, Codec, Mistake};
use crate::limits::BIND_ADDRESSES_MAX;

/// One address of `bind`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BindAddress {
    /// Where to listen.
    pub ip: IpAddr,
    /// Whether the start goes on if this machine does not have the address (`-` in front).
    pub optional: bool,
}

impl BindAddress {
    fn parse(word: &str) -> Option<Self> {
        let (optional, address) = match word.strip_prefix('-') {
            Some(address) => (true, address),
            None => (false, word),
        };
        let ip = match address {
            "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            "::*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => address.parse().ok()?,
        };
        Some(Self { ip, optional })
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.optional { "-" } else { "" })?;
        match self.ip {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => f.write_str("*"),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => f.write_str("::*"),
            ip => ip.fmt(f),
        }
    }
}

/// A list of addresses; an empty one listens on none.
pub(super) struct Addresses;

impl Codec for Addresses {
    type Value = Vec<BindAddress>;

    fn parse(&self, text: &str, _current: Option<&Self::Value>) -> Result<Self::Value, Mistake> {
        let mut addresses: Vec<BindAddress> = Vec::new();
        // Commas are not Redis's, but what one writes in an environment variable.
        for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            let address = BindAddress::parse(word).ok_or_else(|| {
                Mistake::Refused(format!(
                    "{word:?} is no address: valid are IPv4 and IPv6 addresses, * for every IPv4 and ::* for every IPv6 \
                     address, each with - in front if it may be missing"
                ))
            })?;
            if addresses.iter().any(|other| other.ip == address.ip) {
                return Err(Mistake::Refused(format!("{} stands in it twice", address.ip)));
            }
            addresses.push(address);
        }
        if addresses.len() > BIND_ADDRESSES_MAX {
            return Err(Mistake::Refused(format!("it must have at most {BIND_ADDRESSES_MAX} addresses")));
        }
        Ok(addresses)
    }

    fn print(&self, value: &Self::Value) -> String {
        value.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    fn placeholder(&self) -> &'static str {
        "ADDRESS ..."
    }

    fn arguments(&self) -> Arguments {
        Arguments::Several
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> String {
        Addresses.print(&Addresses.parse(text, None).unwrap())
    }

    #[test]
    fn the_forms_of_redis_are_understood() {
        assert_eq!(printed("127.0.0.1 -::1"), "127.0.0.1 -::1");
        assert_eq!(printed("* -::*"), "* -::*");
        assert_eq!(printed("0.0.0.0, ::"), "* ::*");
        assert_eq!(printed(""), "");
        assert_eq!(
            Addresses.parse("-192.168.0.7", None).unwrap(),
            [BindAddress { ip: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 7)), optional: true }]
        );
    }

    #[test]
    fn what_is_no_address_is_named() {
        for wrong in ["localhost", "1.2.3", "--::1", "127.0.0.1:6379", "[::1]", "127.0.0.1 -"] {
            let mistake = Addresses.parse(wrong, None).unwrap_err();
            assert!(mistake.to_string().contains("is no address"), "{wrong}: {mistake}");
        }
        assert!(Addresses.parse("* 0.0.0.0", None).unwrap_err().to_string().contains("twice"));
        let many: Vec<_> = (0..=BIND_ADDRESSES_MAX).map(|last| format!("10.0.0.{last}")).collect();
        assert!(Addresses.parse(&many.join(" "), None).unwrap_err().to_string().contains("at most"));
    }

    proptest! {
        #[test]
        fn addresses_survive_printing(v4: [u8; 4], v6: [u16; 8], optional: bool) {
            let addresses = vec![
                BindAddress { ip: IpAddr::from(v4), optional },
                BindAddress { ip: IpAddr::from(v6), optional: !optional },
            ];
            prop_assert_eq!(Addresses.parse(&Addresses.print(&addresses), None), Ok(addresses));
        }
    }
}
