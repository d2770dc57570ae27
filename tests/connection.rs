//! Transcripts of the commands about the connection itself: greeting, authentication, databases and CLIENT.

use std::time::Duration;

use corewise_harness::{Client, Closed, transcript, transcript_with};

#[test]
fn ping_echo_select_quit() {
    transcript(|t| {
        t.check("PING", "+PONG");
        t.check("ping hello", "hello");
        t.check("PING a b", "-ERR wrong number of arguments for 'ping' command");
        t.check(r#"ECHO "a b""#, r#""a b""#);
        t.check("ECHO", "-ERR wrong number of arguments for 'echo' command");
        t.check("SELECT 15", "+OK");
        t.check("SET k fifteen", "+OK");
        t.check("SELECT 0", "+OK");
        t.check("GET k", "(nil)");
        t.check("SELECT 16", "-ERR DB index is out of range");
        t.check("SELECT -1", "-ERR DB index is out of range");
        t.check("SELECT x", "-ERR value is not an integer or out of range");
        t.check("nosuch a b", "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b' ");
        t.check(r#""no\r\nsuch""#, "-ERR unknown command 'no  such', with args beginning with: ");
        t.check("CLIENT", "-ERR wrong number of arguments for 'client' command");
        t.check("QUIT", "+OK");
        assert_eq!(t.client.try_reply(), Err(Closed));
    });
}

#[test]
fn inline_commands() {
    transcript(|t| {
        let cases: [(&[u8], &str); 9] = [
            (b"PING\r\n", "+PONG"),
            (b"PING\n", "+PONG"),
            (b"\r\n\r\n  PING  \r\n", "+PONG"),
            (b"SET k \"a b\\x41\\n\"\r\n", "+OK"),
            (b"GET k\r\n", r#""a bA\n""#),
            (b"SET k 'it\\'s'\r\n", "+OK"),
            (b"GET 'k'\r\n", r#""it's""#),
            (b"ECHO \"\"\r\n", r#""""#),
            (b"*1\r\n$4\r\nPING\r\n", "+PONG"),
        ];
        for (bytes, expected) in cases {
            t.client.send(bytes);
            t.reply(&String::from_utf8_lossy(bytes), expected);
        }
    });
}

#[test]
fn pipelines_are_answered_in_order() {
    transcript(|t| {
        let mut bytes = Vec::new();
        for n in 0..2000 {
            corewise_harness::encode(&["SET", &format!("key:{n}"), &n.to_string()], &mut bytes);
            corewise_harness::encode(&["GET", &format!("key:{n}")], &mut bytes);
            if n % 100 == 0 {
                corewise_harness::encode(&["MGET", &format!("key:{n}"), "key:0", "absent"], &mut bytes);
            }
        }
        t.client.send(&bytes);
        for n in 0..2000 {
            t.reply("SET", "+OK");
            t.reply("GET", &n.to_string());
            if n % 100 == 0 {
                t.reply("MGET", &format!("[{n}, 0, (nil)]"));
            }
        }
    });
}

#[test]
fn hello() {
    transcript(|t| {
        let map = "{server: redis, version: *, proto: :3, id: :*, mode: standalone, role: master, modules: []}";
        let flat = "[server, redis, version, *, proto, :2, id, :*, mode, standalone, role, master, modules, []]";
        t.like("HELLO", flat);
        t.like("HELLO 3", map);
        t.like("HELLO", map);
        t.like("HELLO 2", flat);
        t.like("HELLO 3 SETNAME me", map);
        t.check("CLIENT GETNAME", "me");
        t.check("HELLO 4", "-NOPROTO unsupported protocol version");
        t.check("HELLO 1", "-NOPROTO unsupported protocol version");
        t.check("HELLO x", "-ERR Protocol version is not an integer or out of range");
        t.check("HELLO 2 BAD", "-ERR Syntax error in HELLO option 'BAD'");
        t.check("HELLO 2 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'");
        t.check("HELLO 2 AUTH a", "-ERR Syntax error in HELLO option 'AUTH'");
        t.check("HELLO 2 AUTH a b", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.like("HELLO 2 AUTH default anything", flat);
        t.check(r#"HELLO 2 SETNAME "a b""#, "-ERR Client names cannot contain spaces, newlines or special characters.");
        t.check_ours("HELLO 2", "*version, 7.2.0, *");
    });
}

#[test]
fn reset() {
    transcript(|t| {
        t.like("HELLO 3 SETNAME me", "{*}");
        t.check("SELECT 3", "+OK");
        t.check("SET k three", "+OK");
        t.check("CLIENT NO-EVICT ON", "+OK");
        t.check("RESET", "+RESET");
        t.check("CLIENT GETNAME", "(nil)");
        t.check("GET k", "(nil)");
        t.check("RESET x", "-ERR wrong number of arguments for 'reset' command");
    });
}

#[test]
fn authentication() {
    transcript_with(&["--requirepass", "secret"], |t| {
        t.check("PING", "-NOAUTH Authentication required.");
        t.check("GET k", "-NOAUTH Authentication required.");
        t.check("nosuch", "-ERR unknown command 'nosuch', with args beginning with: ");
        // 7.2 says `HELLO <proto> AUTH`.
        t.like(
            "HELLO 3",
            "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO *AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        );
        t.check("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("AUTH default wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("AUTH nobody secret", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("AUTH a b c", "-ERR syntax error");
        t.check("AUTH", "-ERR wrong number of arguments for 'auth' command");
        t.check("RESET", "+RESET");
        t.check("AUTH secret", "+OK");
        t.check("PING", "+PONG");
        t.check("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("PING", "+PONG");
        t.check("RESET", "+RESET");
        t.check("PING", "-NOAUTH Authentication required.");
        t.check("AUTH default secret", "+OK");
        t.check("CONFIG GET requirepass", "[requirepass, secret]");
        t.reconnect();
        t.like("HELLO 3 AUTH default secret SETNAME me", "{*proto: :3*}");
        t.check("CONFIG SET requirepass changed", "+OK");
        t.check("PING", "+PONG");
        t.reconnect();
        t.check("AUTH secret", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("AUTH changed", "+OK");
        t.check(r#"CONFIG SET requirepass """#, "+OK");
        t.reconnect();
        t.check("PING", "+PONG");
        t.check("QUIT", "+OK");
    });
}

#[test]
fn auth_without_a_password_set() {
    transcript(|t| {
        t.check(
            "AUTH x",
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        );
        t.check("AUTH a b", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("AUTH default anything", "+OK");
    });
}

#[test]
fn client_names() {
    transcript(|t| {
        t.check("CLIENT GETNAME", "(nil)");
        t.check("CLIENT SETNAME me", "+OK");
        t.check("CLIENT GETNAME", "me");
        t.like(
            "CLIENT INFO",
            "\"id=* addr=127.0.0.1:* laddr=127.0.0.1:* name=me * db=0 * cmd=client|info user=default *",
        );
        t.check(r#"CLIENT SETNAME "a b""#, "-ERR Client names cannot contain spaces, newlines or special characters.");
        t.check("CLIENT GETNAME", "me");
        t.check(r#"CLIENT SETNAME """#, "+OK");
        t.check("CLIENT GETNAME", "(nil)");
        t.check_7_2("CLIENT SETINFO LIB-NAME mylib", "+OK");
        t.check_7_2("CLIENT SETINFO lib-ver 1.2.3", "+OK");
        t.check_7_2("CLIENT SETINFO BAD x", "-ERR Unrecognized option 'BAD'");
        t.check_7_2(
            r#"CLIENT SETINFO LIB-NAME "a b""#,
            "-ERR lib-name cannot contain spaces, newlines or special characters.",
        );
        t.check_7_2("CLIENT SETINFO LIB-NAME", "-ERR wrong number of arguments for 'client|setinfo' command");
        t.check_ours("CLIENT INFO", "*lib-name=mylib lib-ver=1.2.3*");
    });
}

#[test]
fn client_list() {
    transcript(|t| {
        let others: Vec<Client> = (0..5)
            .map(|n| {
                let mut other = t.server.connect();
                other.command(&["CLIENT", "SETNAME", &format!("other{n}")]);
                other
            })
            .collect();
        t.check("CLIENT SETNAME me", "+OK");
        let id = t.ask("CLIENT ID").integer();
        for line in ["CLIENT LIST", "CLIENT LIST TYPE normal"] {
            let list = t.ask(line).text();
            for name in ["me", "other0", "other4"] {
                assert!(
                    list.contains(&format!(" name={name} ")),
                    "{line} on {} lacks {name}:\n{list}",
                    t.variant().name
                );
            }
            assert!(list.lines().count() >= 6 && list.ends_with('\n'), "{list}");
        }
        t.like(&format!("CLIENT LIST ID {id}"), &format!("\"id={id} * name=me *\\n\""));
        t.check("CLIENT LIST ID 999999", r#""""#);
        t.check("CLIENT LIST TYPE pubsub", r#""""#);
        t.check("CLIENT LIST TYPE replica", r#""""#);
        t.check("CLIENT LIST TYPE bad", "-ERR Unknown client type 'bad'");
        t.check("CLIENT LIST ID x", "-ERR Invalid client ID");
        t.check("CLIENT LIST BAD", "-ERR syntax error");
        t.check("CLIENT BAD", "-ERR unknown subcommand 'BAD'. Try CLIENT HELP.");
        t.like("CLIENT HELP", "[+CLIENT <subcommand> *]");
        drop(others);
        t.like("HELLO 3", "{*}");
        t.like("CLIENT INFO", "=txt \"id=*resp=3*");
    });
}

#[test]
fn client_ids_grow() {
    transcript(|t| {
        let mine = t.ask("CLIENT ID").integer();
        let mut other = t.server.connect();
        let theirs = other.ask("CLIENT ID").integer();
        assert!(mine > 0 && theirs > 0 && mine != theirs);
        assert_eq!(t.ask("CLIENT ID").integer(), mine);
    });
}

#[test]
fn client_kill() {
    transcript(|t| {
        let victim = |t: &corewise_harness::Transcript| {
            let mut victim = t.server.connect();
            let id = victim.ask("CLIENT ID").integer();
            (victim, id)
        };
        let (mut one, id) = victim(t);
        t.check(&format!("CLIENT KILL ID {id}"), ":1");
        assert_eq!(one.try_reply(), Err(Closed));
        t.check(&format!("CLIENT KILL ID {id}"), ":0");
        let (mut two, _) = victim(t);
        let address = two.stream().local_addr().expect("it is connected");
        t.check(&format!("CLIENT KILL {address}"), "+OK");
        assert_eq!(two.try_reply(), Err(Closed));
        let (mut three, _) = victim(t);
        let address = three.stream().local_addr().expect("it is connected");
        t.check(&format!("CLIENT KILL ADDR {address}"), ":1");
        assert_eq!(three.try_reply(), Err(Closed));
        let (mut four, _) = victim(t);
        let (mut five, _) = victim(t);
        let server = t.server.address();
        t.check(&format!("CLIENT KILL LADDR {server} TYPE normal SKIPME yes"), ":2");
        assert_eq!((four.try_reply(), five.try_reply()), (Err(Closed), Err(Closed)));
        let (mut six, _) = victim(t);
        t.check("CLIENT KILL USER default", ":1");
        assert_eq!(six.try_reply(), Err(Closed));
        t.check("CLIENT KILL 1.2.3.4:5", "-ERR No such client");
        t.check("CLIENT KILL ID x", "-ERR client-id should be greater than 0");
        t.check("CLIENT KILL ID 0", "-ERR client-id should be greater than 0");
        t.check("CLIENT KILL TYPE bad", "-ERR Unknown client type 'bad'");
        t.check("CLIENT KILL TYPE pubsub", ":0");
        t.check("CLIENT KILL USER bad", "-ERR No such user 'bad'");
        t.check("CLIENT KILL SKIPME maybe", "-ERR syntax error");
        t.check("CLIENT KILL ID", "-ERR No such client");
        t.check("CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command");
        // Killing oneself: the reply still comes.
        let mine = t.ask("CLIENT ID").integer();
        t.check(&format!("CLIENT KILL ID {mine} SKIPME no"), ":1");
        assert_eq!(t.client.try_reply(), Err(Closed));
    });
}

#[test]
fn client_reply() {
    transcript(|t| {
        t.check("CLIENT REPLY ON", "+OK");
        t.send("CLIENT REPLY OFF");
        t.send("SET k 1");
        t.send("nosuch");
        t.check("CLIENT REPLY ON", "+OK");
        t.check("GET k", "1");
        t.send("CLIENT REPLY SKIP");
        t.send("SET k 2");
        t.check("GET k", "2");
        t.send("CLIENT REPLY OFF");
        t.send("CLIENT REPLY SKIP");
        t.send("GET k");
        t.check("CLIENT REPLY ON", "+OK");
        t.check("CLIENT REPLY bad", "-ERR syntax error");
    });
}

#[test]
fn client_pause() {
    transcript(|t| {
        let mut other = t.server.connect();
        t.check("CLIENT PAUSE 100000 WRITE", "+OK");
        t.check_on(&mut other, "GET k", "(nil)");
        let mut bytes = Vec::new();
        corewise_harness::encode(&["SET", "k", "v"], &mut bytes);
        other.send(&bytes);
        t.check("GET k", "(nil)");
        assert_eq!(other.reply_within(Duration::from_millis(30)), None, "a write went through the pause");
        t.check("CLIENT UNPAUSE", "+OK");
        assert_eq!(other.reply().to_string(), "+OK");
        t.check("GET k", "v");
        // A pause of everything ends by itself.
        t.check("CLIENT PAUSE 50", "+OK");
        t.check_on(&mut other, "GET k", "v");
        t.check("CLIENT PAUSE 50 ALL", "+OK");
        t.check("PING", "+PONG");
        t.check("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range");
        t.check("CLIENT PAUSE -1", "-ERR timeout is negative");
        t.check("CLIENT PAUSE 1 BAD", "-ERR CLIENT PAUSE mode must be WRITE or ALL");
        t.check("CLIENT UNPAUSE x", "-ERR wrong number of arguments for 'client|unpause' command");
    });
}

#[test]
fn client_flags() {
    transcript(|t| {
        t.check("CLIENT NO-EVICT ON", "+OK");
        t.check("CLIENT NO-EVICT off", "+OK");
        t.check("CLIENT NO-EVICT bad", "-ERR syntax error");
        t.check_7_2("CLIENT NO-TOUCH ON", "+OK");
        t.check_7_2("CLIENT NO-TOUCH OFF", "+OK");
        t.check_7_2("CLIENT NO-TOUCH bad", "-ERR syntax error");
        t.check("CLIENT UNBLOCK 999999", ":0");
        t.check("CLIENT UNBLOCK 999999 TIMEOUT", ":0");
        t.check("CLIENT UNBLOCK 999999 error", ":0");
        t.check("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range");
        t.check("CLIENT UNBLOCK 1 BAD", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    });
}

#[test]
fn too_many_clients() {
    transcript_with(&["--maxclients", "10"], |t| {
        let mut clients: Vec<Client> = Vec::new();
        let refusal = loop {
            let mut client = t.server.connect();
            // Redis may close before it has read the PING; the refusal has been sent by then.
            let _ = client.try_send(b"PING\r\n");
            match client.try_reply() {
                Ok(reply) if reply.to_string() == "+PONG" => clients.push(client),
                Ok(reply) => break reply.to_string(),
                Err(Closed) => break "closed without a word".to_owned(),
            }
            assert!(clients.len() < 10, "{} lets more than maxclients in", t.variant().name);
        };
        assert_eq!(refusal, "-ERR max number of clients reached", "{}", t.variant().name);
        assert_eq!(clients.len(), 9, "the transcript's own client is the tenth");
        drop(clients);
        t.check("PING", "+PONG");
    });
}
