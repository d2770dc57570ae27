//! The map of a cluster: which server owns which hash slot, as `CLUSTER SHARDS` or `CLUSTER SLOTS` tell it.

use redis_protocol::resp3::types::OwnedFrame;

use super::DriveError;
use super::connect::Target;

/// Hash slots of a Redis cluster.
const SLOTS: usize = 16384;

/// Nobody owns the slot.
const NOBODY: u16 = u16::MAX;

/// Who owns which slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SlotMap {
    /// `host:port` of the servers.
    pub(super) nodes: Vec<String>,
    /// By slot: index of its owner.
    owners: Vec<u16>,
}

impl SlotMap {
    /// One server owns everything.
    pub(super) fn single(server: &str) -> Self {
        Self { nodes: vec![server.to_owned()], owners: Vec::new() }
    }

    fn empty() -> Self {
        Self { nodes: Vec::new(), owners: vec![NOBODY; SLOTS] }
    }

    /// Asks a server of a cluster.
    pub(super) fn read(target: &Target) -> Result<Self, DriveError> {
        let wrong = |what: String| DriveError(format!("{}: {what}", target.server));
        let mut dialogue = target.talk()?;
        let own_host = target.server.rsplit_once(':').map_or(target.server.as_str(), |(host, _)| host);
        let map = match dialogue.ask(&["CLUSTER", "SHARDS"]) {
            Ok(frame) => Self::of_shards(&frame, own_host),
            // Before Redis 7.
            Err(_) => match dialogue.ask(&["CLUSTER", "SLOTS"]) {
                Ok(frame) => Self::of_slots(&frame, own_host),
                Err(error) => return Err(wrong(error.to_string())),
            },
        };
        let map = map.ok_or_else(|| wrong("the map of the cluster cannot be read".to_owned()))?;
        match map.owners.iter().position(|owner| *owner == NOBODY) {
            Some(slot) => Err(wrong(format!("nobody in the cluster owns slot {slot}; every slot must have an owner"))),
            None => Ok(map),
        }
    }

    /// The owner of an operation's slot; the first server if it has none.
    #[inline]
    pub(super) fn owner(&self, slot: Option<u16>) -> usize {
        match slot.and_then(|slot| self.owners.get(usize::from(slot))) {
            Some(&owner) if owner != NOBODY => usize::from(owner),
            _ => 0,
        }
    }

    /// The index of a server, which may be new.
    pub(super) fn node(&mut self, server: &str) -> usize {
        self.nodes.iter().position(|known| known == server).unwrap_or_else(|| {
            self.nodes.push(server.to_owned());
            self.nodes.len() - 1
        })
    }

    /// Notes that a slot has another owner.
    pub(super) fn moved(&mut self, slot: u16, node: usize) {
        if let Some(owner) = self.owners.get_mut(usize::from(slot)) {
            *owner = node as u16;
        }
    }

    /// Takes the owners of another map, and keeps the numbers of the servers that are known already.
    pub(super) fn update(&mut self, other: &SlotMap) {
        let numbers: Vec<usize> = other.nodes.iter().map(|server| self.node(server)).collect();
        for (own, owner) in self.owners.iter_mut().zip(&other.owners) {
            *own = numbers.get(usize::from(*owner)).map_or(NOBODY, |number| *number as u16);
        }
    }

    fn own(&mut self, first: i64, last: i64, server: &str) -> Option<()> {
        let node = self.node(server) as u16;
        let range = usize::try_from(first).ok()?..=usize::try_from(last).ok()?;
        self.owners.get_mut(range)?.fill(node);
        Some(())
    }

    /// `CLUSTER SHARDS`: an array of maps with `slots` (first, last, first, last ...) and `nodes`.
    fn of_shards(frame: &OwnedFrame, own_host: &str) -> Option<Self> {
        let mut map = Self::empty();
        for shard in items(frame)? {
            let numbers: Option<Vec<i64>> = items(field(shard, "slots")?)?.iter().map(number).collect();
            let numbers = numbers?;
            let nodes = items(field(shard, "nodes")?)?;
            let master =
                nodes.iter().find(|node| field(node, "role").and_then(text).is_some_and(|role| role == "master"));
            let Some(master) = master else { continue };
            let host = field(master, "endpoint").or_else(|| field(master, "ip")).and_then(text)?;
            let server = address(&host, number(field(master, "port")?)?, own_host);
            for range in numbers.chunks_exact(2) {
                map.own(range[0], range[1], &server)?;
            }
        }
        Some(map)
    }

    /// `CLUSTER SLOTS`: arrays of first slot, last slot, master (host, port, ...), replicas.
    fn of_slots(frame: &OwnedFrame, own_host: &str) -> Option<Self> {
        let mut map = Self::empty();
        for range in items(frame)? {
            let range = items(range)?;
            let master = items(range.get(2)?)?;
            let host = text(master.first()?).unwrap_or_default();
            let server = address(&host, number(master.get(1)?)?, own_host);
            map.own(number(range.first()?)?, number(range.get(1)?)?, &server)?;
        }
        Some(map)
    }
}

/// A server that does not know its own address (or says `?`) is where it was reached.
fn address(host: &str, port: i64, own_host: &str) -> String {
    let host = if host.is_empty() || host == "?" { own_host } else { host };
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Where a redirection leads: `MOVED 3999 127.0.0.1:6381` or `ASK ...`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Redirection {
    /// Only for this one request, announced by ASKING.
    pub(super) once: bool,
    pub(super) slot: u16,
    pub(super) server: String,
}

impl Redirection {
    /// Reads an error reply, if it is a redirection. `asked` is the server that said so.
    pub(super) fn of(error: &[u8], asked: &str) -> Option<Self> {
        let once = error.starts_with(b"ASK ");
        if !once && !error.starts_with(b"MOVED ") {
            return None;
        }
        let mut words = std::str::from_utf8(error).ok()?.split(' ').skip(1);
        let slot = words.next()?.parse().ok().filter(|slot| usize::from(*slot) < SLOTS)?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        let own_host = asked.rsplit_once(':').map_or(asked, |(host, _)| host);
        Some(Self { once, slot, server: address(host, port.parse().ok()?, own_host) })
    }
}

fn items(frame: &OwnedFrame) -> Option<&[OwnedFrame]> {
    match frame {
        OwnedFrame::Array { data, .. } => Some(data),
        _ => None,
    }
}

/// A field of a map, which RESP2 gives as an array of names and values.
fn field<'a>(frame: &'a OwnedFrame, name: &str) -> Option<&'a OwnedFrame> {
    match frame {
        OwnedFrame::Map { data, .. } => {
            data.iter().find(|(key, _)| text(key).as_deref() == Some(name)).map(|(_, value)| value)
        }
        OwnedFrame::Array { data, .. } => {
            data.chunks_exact(2).find(|pair| text(&pair[0]).as_deref() == Some(name)).map(|pair| &pair[1])
        }
        _ => None,
    }
}

fn text(frame: &OwnedFrame) -> Option<String> {
    match frame {
        OwnedFrame::BlobString { data, .. } | OwnedFrame::SimpleString { data, .. } => {
            String::from_utf8(data.clone()).ok()
        }
        _ => None,
    }
}

fn number(frame: &OwnedFrame) -> Option<i64> {
    match frame {
        OwnedFrame::Number { data, .. } => Some(*data),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use redis_protocol::resp3::decode::complete::decode;

    use super::*;

    fn frame(bytes: &str) -> OwnedFrame {
        decode(bytes.replace('|', "\r\n").as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn slots_and_shards_are_read() {
        let slots = "*2|*3|:0|:8191|*3|$9|127.0.0.1|:7001|$2|id|*3|:8192|:16383|*3|$0||:7002|$2|id|";
        let map = SlotMap::of_slots(&frame(slots), "host").unwrap();
        assert_eq!(map.nodes, ["127.0.0.1:7001", "host:7002"]);
        assert_eq!((map.owner(Some(0)), map.owner(Some(8192)), map.owner(None)), (0, 1, 0));
        let node =
            |role: &str, port: &str| format!("*6|$4|port|:{port}|$8|endpoint|$3|::1|$4|role|${}|{role}|", role.len());
        let nodes = format!("$5|nodes|*2|{}{}", node("replica", "1"), node("master", "2"));
        let shards = format!("*1|*4|$5|slots|*4|:0|:1|:3|:16383|{nodes}");
        let map = SlotMap::of_shards(&frame(&shards), "host").unwrap();
        assert_eq!(map.nodes, ["[::1]:2"]);
        assert_eq!(map.owners.iter().filter(|owner| **owner == NOBODY).count(), 1);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for bad in ["*1|:1|", "*1|*3|:0|:99999|*2|$1|h|:1|", "*1|*3|:0|:1|*2|$1|h|$1|x|", ":1|"] {
            assert_eq!(SlotMap::of_slots(&frame(bad), "h"), None, "{bad}");
        }
    }

    #[test]
    fn redirections_are_read() {
        let of = |text: &str| Redirection::of(text.as_bytes(), "asked:1");
        let to = |once, server: &str| Some(Redirection { once, slot: 3999, server: server.to_owned() });
        assert_eq!(of("MOVED 3999 127.0.0.1:6381"), to(false, "127.0.0.1:6381"));
        assert_eq!(of("ASK 3999 ::1:6381"), to(true, "[::1]:6381"));
        assert_eq!(of("MOVED 3999 :6381"), to(false, "asked:6381"));
        for other in ["ERR MOVED 1 a:1", "MOVED", "MOVED x a:1", "MOVED 16384 a:1", "MOVED 1 a"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_new_map_keeps_the_numbers_of_known_servers() {
        let mut map = SlotMap { nodes: vec!["a:1".to_owned(), "b:1".to_owned()], owners: vec![0; SLOTS] };
        let mut other = SlotMap { nodes: vec!["c:1".to_owned(), "b:1".to_owned()], owners: vec![1; SLOTS] };
        other.moved(7, 0);
        map.update(&other);
        assert_eq!(map.nodes, ["a:1", "b:1", "c:1"]);
        assert_eq!((map.owner(Some(7)), map.owner(Some(8))), (2, 1));
    }
}
