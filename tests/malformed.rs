//! Malformed input of every kind while a good client works on another connection: one error in Redis's words, then the
//! connection is closed; nobody else notices.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corewise_harness::{Client, Closed, Server, Variant, encode, variants};

/// The bytes that framing is made of, and a few of what stands between them.
const FRAMING: &[u8] = b"*$\r\n0123456789-+ \"'\\xPINGSET";

/// The longest that a good client may wait for one reply while others misbehave.
const GOOD_REPLY_MAX: Duration = Duration::from_secs(5);

/// Runs `misbehave` against each variant beside a good client that must be served all the time, and after it.
fn beside_a_good_client(flags: &[&str], misbehave: impl Fn(&Server, &Variant)) {
    for variant in variants() {
        let mut server = Server::start(&variant, flags);
        let (stop, served) = (AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|scope| {
            let good = scope.spawn(|| good_client(server.connect(), &stop, &served));
            // Let it begin, and give it work to do after everybody else is done.
            wait_for(&served, 10);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| misbehave(&server, &variant)));
            wait_for(&served, served.load(Ordering::Relaxed) + 10);
            stop.store(true, Ordering::Relaxed);
            good.join().expect("the good client was served");
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        });
        assert_eq!(server.exit_status(), None, "{} went down\n{}", variant.name, server.log());
    }
}

fn good_client(mut client: Client, stop: &AtomicBool, served: &AtomicU64) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (key, value) = (format!("good:{}", number % 10), number.to_string());
        let start = Instant::now();
        assert_eq!(client.command(&["SET", &key, &value]).to_string(), "+OK");
        assert_eq!(client.command(&["GET", &key]).to_string(), value);
        assert!(start.elapsed() < GOOD_REPLY_MAX, "the good client waited {:?}", start.elapsed());
        served.fetch_add(1, Ordering::Relaxed);
    }
}

fn wait_for(counter: &AtomicU64, value: u64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while counter.load(Ordering::Relaxed) < value {
        assert!(Instant::now() < deadline, "the good client is not served");
        thread::yield_now();
    }
}

/// What a connection answers until the server closes it, and that it does.
fn last_words(server: &Server, input: &[u8]) -> Vec<String> {
    let mut client = server.connect();
    // The server may close before it has read everything.
    let _ = client.try_send(input);
    client.until_closed().iter().map(ToString::to_string).collect()
}

#[test]
fn framing_errors_get_one_reply_and_the_end() {
    let long_digits = [b"*", "1".repeat(70_000).as_bytes()].concat();
    let long_bulk = [b"*1\r\n$", "1".repeat(70_000).as_bytes()].concat();
    // These are too big for as long as their line does not end; with its end they are just wrong.
    let endless: [(&[u8], &str); 2] =
        [(&long_digits, "too big mbulk count string"), (&long_bulk, "too big bulk count string")];
    let cases: [(&[u8], &str); 19] = [
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$-2\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$9223372036854775808\r\n", "invalid bulk length"),
        (b"*1\r\n$99999999999999999999999\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$ 4\r\nPING\r\n", "invalid bulk length"),
        (b"*1\r\n$+4\r\nPING\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\nPING\r\n", "invalid bulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*9223372036854775808\r\n", "invalid multibulk length"),
        (b"*x\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*01\r\n$4\r\nPING\r\n", "invalid multibulk length"),
        (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*2\r\n$4\r\nPING\r\n*1\r\n", "expected '$', got '*'"),
        (b"PING \"a\r\n", "unbalanced quotes in request"),
    ];
    beside_a_good_client(&[], |server, variant| {
        for (input, text) in &cases {
            let shown = String::from_utf8_lossy(&input[..input.len().min(60)]);
            assert_eq!(
                last_words(server, input),
                [format!("-ERR Protocol error: {text}")],
                "{}: {shown:?}",
                variant.name
            );
            // What came before the error is answered; what comes after it is not.
            let around = [b"PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", *input, b"\r\nPING\r\n"].concat();
            let expected = ["+PONG".to_owned(), "hi".to_owned(), format!("-ERR Protocol error: {text}")];
            assert_eq!(last_words(server, &around), expected, "{}: {shown:?} within a pipeline", variant.name);
        }
        for (input, text) in &endless {
            assert_eq!(last_words(server, input), [format!("-ERR Protocol error: {text}")], "{}", variant.name);
        }
        let inline = vec![b'a'; 70_000];
        assert_eq!(last_words(server, &inline), ["-ERR Protocol error: too big inline request"], "{}", variant.name);
        let quoted = [b"SET k \"", &inline[..]].concat();
        assert_eq!(last_words(server, &quoted), ["-ERR Protocol error: too big inline request"], "{}", variant.name);
    });
}

#[test]
fn harmless_oddities_are_skipped() {
    beside_a_good_client(&[], |server, variant| {
        let cases: [(&[u8], &[&str]); 6] = [
            (b"*0\r\nPING\r\n", &["+PONG"]),
            (b"*-1\r\nPING\r\n", &["+PONG"]),
            (b"*-10\r\nPING\r\n", &["+PONG"]),
            (b"\r\n\n\r\nPING\r\n", &["+PONG"]),
            (b"*1\r\n$0\r\n\r\nPING\r\n", &["-ERR unknown command '', with args beginning with: ", "+PONG"]),
            // Redis does not look at the two bytes behind a bulk string.
            (b"*1\r\n$4\r\nPINGxxPING\r\n", &["+PONG", "+PONG"]),
        ];
        for (input, expected) in cases {
            let mut client = server.connect();
            client.send(input);
            for expected in expected {
                let shown = String::from_utf8_lossy(input);
                assert_eq!(client.reply().to_string(), *expected, "{}: {shown:?}", variant.name);
            }
        }
    });
}

#[test]
fn one_byte_at_a_time() {
    beside_a_good_client(&[], |server, variant| {
        let mut client = server.connect();
        let mut bytes = b"SET a 'x y'\r\n\r\n*0\r\n".to_vec();
        encode(&["GET", "a"], &mut bytes);
        encode(&[&b"SET"[..], b"\x00\r\n", b"\r\n$3\r\n*1\r\n"], &mut bytes);
        encode(&[&b"GET"[..], b"\x00\r\n"], &mut bytes);
        for byte in bytes {
            client.send(&[byte]);
        }
        for expected in ["+OK", r#""x y""#, "+OK", r#""\r\n$3\r\n*1\r\n""#] {
            assert_eq!(client.reply().to_string(), expected, "{}", variant.name);
        }
    });
}

#[test]
fn a_million_arguments() {
    beside_a_good_client(&[], |server, variant| {
        let mut client = server.connect();
        let mut words = vec!["DEL".to_owned()];
        words.extend((0..1_000_000).map(|number| format!("m{}", number % 1000)));
        assert_eq!(client.command(&["SET", "m7", "v"]).to_string(), "+OK");
        assert_eq!(client.command(&words).to_string(), ":1", "{}", variant.name);
        words[0] = "MGET".to_owned();
        assert_eq!(client.command(&words).items().len(), 1_000_000, "{}", variant.name);
    });
}

#[test]
fn an_announced_gigabyte_costs_nothing_until_it_comes() {
    beside_a_good_client(&["--proto-max-bulk-len", "2gb"], |server, variant| {
        let before = server.resident_bytes();
        let clients: Vec<Client> = (0..20)
            .map(|_| {
                let mut client = server.connect();
                client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000000\r\nthe beginning of it");
                client
            })
            .collect();
        let mut other = server.connect();
        assert_eq!(other.ask("PING").to_string(), "+PONG");
        let grown = server.resident_bytes().saturating_sub(before);
        assert!(grown < 64 << 20, "{}: 20 announcements cost {} MiB", variant.name, grown >> 20);
        drop(clients);
        assert_eq!(other.ask("GET k").to_string(), "(nil)");
    });
}

#[test]
fn random_bytes() {
    beside_a_good_client(&[], |server, variant| {
        let seed = corewise_harness::env_number("MALFORMED_SEED", 1);
        let mut rng = fastrand::Rng::with_seed(seed);
        for round in 0..200 {
            let mut client = server.connect();
            let length = rng.usize(1..2000);
            let bytes: Vec<u8> = match round % 3 {
                0 => (0..length).map(|_| rng.u8(..)).collect(),
                // Made of what framing is made of.
                1 => (0..length).map(|_| FRAMING[rng.usize(..FRAMING.len())]).collect(),
                _ => {
                    let mut bytes = Vec::new();
                    (0..20).for_each(|_| encode(&["SET", "random:key", "value"], &mut bytes));
                    for _ in 0..rng.usize(1..6) {
                        let at = rng.usize(..bytes.len());
                        bytes[at] = rng.u8(..);
                    }
                    bytes
                }
            };
            let _ = client.try_send(&bytes);
            client.finish_sending();
            // Whatever it answers is RESP (the decoder panics otherwise), and it does close.
            let replies = client.until_closed();
            let framing = replies.iter().filter(|reply| reply.to_string().starts_with("-ERR Protocol error")).count();
            assert!(framing <= 1, "{}: MALFORMED_SEED={seed}, round {round}: {framing} framing errors", variant.name);
        }
    });
}

#[test]
fn half_open_and_broken_connections() {
    beside_a_good_client(&[], |server, variant| {
        // No more requests, but replies are still wanted.
        let mut client = server.connect();
        client.send(b"PING\r\nECHO a\r\n");
        client.finish_sending();
        let replies: Vec<String> = client.until_closed().iter().map(ToString::to_string).collect();
        assert_eq!(replies, ["+PONG", "a"], "{}", variant.name);
        // In the middle of a request.
        for part in [&b"*2\r\n$3\r\nGET\r\n$100\r\nabc"[..], b"*2\r\n$3", b"PIN", b"*"] {
            let mut client = server.connect();
            client.send(part);
            client.finish_sending();
            assert_eq!(client.until_closed(), [], "{}", variant.name);
        }
        // Gone without a word, with replies unread, which makes the kernel reset the connection.
        for _ in 0..50 {
            let mut client = server.connect();
            client.send(b"PING\r\nPING\r\nPING\r\n");
            let _ = client.stream().shutdown(Shutdown::Read);
        }
        // Never a word.
        let silent: Vec<Client> = (0..50).map(|_| server.connect()).collect();
        drop(silent);
    });
}

#[test]
fn readers_that_never_read() {
    beside_a_good_client(&[], |server, variant| {
        let mut setter = server.connect();
        assert_eq!(setter.command(&["SET", "large", &"x".repeat(1 << 20)]).to_string(), "+OK");
        assert_eq!(setter.command(&["SET", "medium", &"x".repeat(10_000)]).to_string(), "+OK");
        let before = server.resident_bytes();
        let mut clients = Vec::new();
        for key in ["large", "medium"] {
            let client = server.connect();
            client.stream().set_nonblocking(true).expect("a socket can be set so");
            let mut bytes = Vec::new();
            (0..100).for_each(|_| encode(&["GET", key], &mut bytes));
            // Keep asking until the socket takes no more, or 100 MB have been asked for.
            let rounds = if key == "large" { 1 } else { 100 };
            for _ in 0..rounds {
                if client.stream().write_all(&bytes).is_err() {
                    break;
                }
            }
            clients.push(client);
        }
        assert_eq!(setter.ask("PING").to_string(), "+PONG");
        if variant.kind == corewise_harness::Kind::Corewise {
            let grown = server.resident_bytes().saturating_sub(before);
            assert!(grown < 64 << 20, "{}: readers that never read cost {} MiB", variant.name, grown >> 20);
        }
        // A reader that starts late gets everything, in order.
        let mut late = clients.remove(0);
        late.stream().set_nonblocking(false).expect("a socket can be set so");
        for _ in 0..100 {
            assert_eq!(late.reply().bytes().map(<[u8]>::len), Some(1 << 20), "{}", variant.name);
        }
    });
}

#[test]
fn strangers_get_little_room() {
    beside_a_good_client(&[], |server, variant| {
        // Set for newcomers only: the good client is in already.
        assert_eq!(server.connect().ask("CONFIG SET requirepass secret").to_string(), "+OK");
        let cases: [(&[u8], &str); 3] = [
            (b"*11\r\n", "unauthenticated multibulk length"),
            (b"*2\r\n$4\r\nAUTH\r\n$16385\r\n", "unauthenticated bulk length"),
            (b"*1\r\n$x\r\n", "invalid bulk length"),
        ];
        for (input, text) in cases {
            assert_eq!(last_words(server, input), [format!("-ERR Protocol error: {text}")], "{}", variant.name);
        }
        let mut client = server.connect();
        assert_eq!(client.ask("AUTH secret").to_string(), "+OK");
        let many: Vec<String> = std::iter::once("DEL".to_owned()).chain((0..20).map(|n| n.to_string())).collect();
        assert_eq!(client.command(&many).to_string(), ":0");
    });
}

#[test]
fn http_and_smtp_are_shown_the_door() {
    beside_a_good_client(&[], |server, variant| {
        for input in [
            &b"POST / HTTP/1.1\r\nHost: x\r\n\r\nSET k stolen\r\n"[..],
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nSET k stolen\r\n",
        ] {
            let mut stream = std::net::TcpStream::connect(server.address()).expect("it listens");
            let _ = stream.write_all(input);
            let mut answer = Vec::new();
            // Redis closes at `POST` and at `Host:`; a reset in place of an orderly end is as good.
            let _ = stream.read_to_end(&mut answer);
            assert!(answer.len() < 200, "{}: {}", variant.name, String::from_utf8_lossy(&answer));
        }
        let mut client = server.connect();
        assert_eq!(client.ask("GET k").to_string(), "(nil)", "{}: a web page wrote a key", variant.name);
        assert_eq!(client.command(&["QUIT"]).to_string(), "+OK");
        assert_eq!(client.try_reply(), Err(Closed));
    });
}
