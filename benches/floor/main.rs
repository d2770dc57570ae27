//! The practical limit: the ring of `net`, minimal framing and one hash map. GET and SET, and nothing else that a server
//! owes its clients: no deadlines, no mail, no accounting, no limits.
//!
//! ```text
//! taskset -c 0 cargo bench --bench floor -- --port 7000 [--no-min-wait]
//! ```
//!
//! Drive it like any server; `corewise` is measured against it (design, section 8). It ends with its process.

mod store;

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use corewise::base::{ConnId, CoreId};
use corewise::limits::{EVENTS_LEFT_MAX, TURN_EVENTS};
use corewise::net::{Event, Net, NetConfig, NetError, Wait, socket};
use store::Store;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut port, mut min_wait) = (None, true);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => port = arguments.next().and_then(|port| port.parse::<u16>().ok()),
            "--no-min-wait" => min_wait = false,
            // What `cargo bench` adds.
            _ => {}
        }
    }
    let Some(port) = port else {
        // Without a port there is nothing to measure: `cargo bench` over all targets shall go on.
        return say("floor: a server to measure against; give it --port N");
    };
    match serve(port, min_wait) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("floor: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) -> ExitCode {
    writeln!(io::stderr(), "{line}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn serve(port: u16, min_wait: bool) -> Result<(), NetError> {
    let io = |step| move |error| NetError::Io { step, error };
    let listener = OwnedFd::from(TcpListener::bind(("127.0.0.1", port)).map_err(io("bind"))?);
    socket::set_no_delay(listener.as_fd()).map_err(io("TCP_NODELAY"))?;
    let mut net = Net::new(&NetConfig { min_wait, ..NetConfig::new(CoreId(0)) })?;
    net.listen(listener).map_err(io("listen"))?;
    say(&format!("floor: 127.0.0.1:{port}, {:?}", net.features()));

    let mut store = Store::default();
    // The unfinished request of each connection.
    let mut rests: Vec<Vec<u8>> = Vec::new();
    let mut accepted = Vec::new();
    let mut replies = Vec::new();
    loop {
        net.wait(Wait::FOREVER)?;
        let mut spare = net.spare_output();
        let mut taken = 0;
        while (taken < TURN_EVENTS || net.backlog() > EVENTS_LEFT_MAX)
            && let Some(event) = net.next_event()
        {
            taken += 1;
            match event {
                Event::Accepted { fd, .. } => accepted.push(fd),
                Event::Received { conn, bytes } => {
                    let rest = &mut rests[conn.index as usize];
                    let out = spare.bytes_mut();
                    if rest.is_empty() {
                        let used = store.answer(bytes, out);
                        rest.extend_from_slice(&bytes[used..]);
                    } else {
                        rest.extend_from_slice(bytes);
                        let used = store.answer(rest, out);
                        rest.drain(..used);
                    }
                    if !spare.is_empty() {
                        replies.push((conn, spare));
                        spare = net.spare_output();
                    }
                }
                Event::Ended { conn, .. } => net.close(conn, true),
                Event::AcceptFailed { .. } | Event::Stalled { .. } | Event::Drained { .. } | Event::Bell => {}
            }
        }
        net.keep_output(spare);
        for (conn, output) in replies.drain(..) {
            net.send(conn, output);
        }
        for fd in accepted.drain(..) {
            let ConnId { index, .. } = net.adopt(fd);
            let index = index as usize;
            rests.resize_with(rests.len().max(index + 1), Vec::new);
            rests[index].clear();
        }
    }
}
