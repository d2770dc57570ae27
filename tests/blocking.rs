//! Clients that wait for elements, over sockets: transcripts, queues of several cores, and clients that leave.

use std::time::{Duration, Instant};

use corewise_harness::{Client, Server, transcript, variants};

/// More than a server needs for anything here.
const PATIENCE: Duration = Duration::from_secs(20);

/// So long that a server which answers at once would have.
const A_MOMENT: Duration = Duration::from_millis(30);

#[test]
fn attempts() {
    transcript(|t| {
        t.check("RPUSH l a b c d", ":4");
        t.check("BLPOP none l 0", "[l, a]");
        t.check("BRPOP l 0", "[l, d]");
        t.check("BLMOVE l m LEFT RIGHT 0", "b");
        t.check("BRPOPLPUSH m {l}2 0", "b");
        t.check("BLMPOP 0 3 x l y RIGHT COUNT 10", "[l, [c]]");
        t.check("BLPOP l 0.01", "(nil array)");
        t.check("BLMOVE l m LEFT RIGHT 0.01", "(nil array)");
        t.check("BLMPOP 0.01 1 l LEFT", "(nil array)");
        t.check("BZPOPMIN l z 0.01", "(nil array)");
        t.check("BLPOP l -1", "-ERR timeout is negative");
        t.check("BLPOP l x", "-ERR timeout is not a float or out of range");
        t.check("MULTI", "+OK");
        t.check("BLPOP l m 0", "+QUEUED");
        t.check("BLMOVE l m LEFT LEFT 0", "+QUEUED");
        t.check("BZMPOP 0 2 l z MIN", "+QUEUED");
        t.check("EXEC", "[(nil array), (nil), (nil array)]");
    });
}

/// Blocks until so many clients wait.
fn until_waiting(asker: &mut Client, count: usize) {
    let began = Instant::now();
    while !asker.ask("INFO clients").to_string().contains(&format!("blocked_clients:{count}\\r")) {
        assert!(began.elapsed() < PATIENCE, "{count} clients do not come to wait");
    }
}

fn get(client: &mut Client, expected: &str) {
    let reply = client.reply_within(PATIENCE).expect("a reply");
    assert_eq!(reply.to_string(), expected);
}

#[test]
fn who_came_first_is_served_and_who_leaves_costs_nothing() {
    for variant in variants() {
        let server = Server::start(&variant, &[]);
        let mut asker = server.connect();
        let mut waiting: Vec<Client> = (0..6).map(|_| server.connect()).collect();
        for (count, client) in waiting.iter_mut().enumerate() {
            client.send(b"BLPOP a b c d 0\r\nPING\r\n");
            until_waiting(&mut asker, count + 1);
        }
        // Two of them leave, one in either way.
        waiting[3].finish_sending();
        assert!(waiting[3].until_closed().is_empty());
        drop(waiting.remove(3));
        drop(waiting.remove(1));
        until_waiting(&mut asker, 4);
        for (number, (client, list)) in waiting.iter_mut().zip(["c", "a", "d", "b"]).enumerate() {
            assert!(client.reply_within(A_MOMENT).is_none());
            assert_eq!(asker.ask(&format!("RPUSH {list} {number}")).to_string(), ":1");
            get(client, &format!("[{list}, {number}]"));
            get(client, "+PONG");
        }
        assert_eq!(asker.ask("DBSIZE").to_string(), ":0");
        until_waiting(&mut asker, 0);
    }
}

#[test]
fn many_take_what_many_push() {
    const EACH: usize = 300;
    for variant in variants() {
        let server = Server::start(&variant, &[]);
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let mut client = server.connect();
                std::thread::spawn(move || {
                    let take = |_| client.ask("BLPOP a b c d 0").to_string();
                    (0..EACH).map(take).collect::<Vec<String>>()
                })
            })
            .collect();
        let pushers: Vec<_> = ["a", "b", "c", "d"]
            .map(|list| {
                let mut client = server.connect();
                std::thread::spawn(move || {
                    for number in 0..EACH {
                        client.ask(&format!("RPUSH {list} {number}"));
                    }
                })
            })
            .into_iter()
            .collect();
        pushers.into_iter().for_each(|pusher| pusher.join().expect("a pusher"));
        let mut taken: Vec<String> = takers.into_iter().flat_map(|taker| taker.join().expect("a taker")).collect();
        taken.sort_unstable();
        let mut expected: Vec<String> =
            ["a", "b", "c", "d"].iter().flat_map(|list| (0..EACH).map(move |at| format!("[{list}, {at}]"))).collect();
        expected.sort_unstable();
        assert_eq!(taken, expected);
    }
}
