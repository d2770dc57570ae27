//! A server that misbehaves once, on purpose: a map behind a mutex, with a thread for each connection.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use redis_protocol::resp2::decode::decode;
use redis_protocol::resp2::types::{OwnedFrame, Resp2Frame};

/// What goes wrong, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Misdeed {
    /// Nothing.
    None,
    /// A reply is not sent.
    Drop,
    /// Two neighbouring replies change places.
    Reorder,
    /// A byte of a value is another one.
    Corrupt,
    /// A GET is answered with the first value of its key, long after the client has heard of newer ones.
    Stale,
    /// A GET is answered with another key's value.
    WrongKey,
    /// Writes are acknowledged and forgotten, from then on all of them: the next one would cover up the first.
    LoseWrite,
    /// A reply comes twice.
    Repeat,
    /// The last reply never comes, and nothing more on that connection.
    Silence,
}

/// What is shared by its connections.
struct State {
    values: Mutex<HashMap<Vec<u8>, Vec<Vec<u8>>>>,
    misdeed: Misdeed,
    /// Commands that are still answered well.
    patience: AtomicU64,
    done: AtomicBool,
}

/// A running double; its threads end with their connections.
pub(crate) struct Double {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl Double {
    /// Starts a double that misbehaves once, as soon as it can after so many commands.
    pub(crate) fn start(misdeed: Misdeed, after: u64) -> Double {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            values: Mutex::default(),
            misdeed,
            patience: AtomicU64::new(after),
            done: AtomicBool::new(misdeed == Misdeed::None),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || serve(stream, &state));
            }
        });
        Double { address, state }
    }

    /// Whether it has misbehaved.
    pub(crate) fn has_misbehaved(&self) -> bool {
        self.state.done.load(Ordering::SeqCst)
    }
}

/// One reply, and the key that it is about if it is a value.
struct Answer {
    bytes: Vec<u8>,
    silent: bool,
}

fn serve(mut stream: TcpStream, state: &State) {
    let _ = stream.set_nodelay(true);
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..read]);
        let (mut used, mut answers) = (0, Vec::new());
        while let Some((frame, length)) = decode(&buffer[used..]).unwrap() {
            used += length;
            answers.push(answer(&frame, state));
        }
        buffer.drain(..used);
        if due(state, state.misdeed == Misdeed::Reorder) {
            let different = answers.windows(2).position(|pair| pair[0].bytes != pair[1].bytes);
            if let Some(at) = different {
                answers.swap(at, at + 1);
                state.done.store(true, Ordering::SeqCst);
            }
        }
        let out: Vec<u8> =
            answers.iter().take_while(|answer| !answer.silent).flat_map(|answer| answer.bytes.clone()).collect();
        if stream.write_all(&out).is_err() {
            return;
        }
        if answers.iter().any(|answer| answer.silent) {
            // The rest of this connection's life is silence.
            while matches!(stream.read(&mut chunk), Ok(1..)) {}
            return;
        }
    }
}

/// Whether it is time for this misdeed.
fn due(state: &State, is_it: bool) -> bool {
    is_it && state.patience.load(Ordering::SeqCst) == 0 && !state.done.load(Ordering::SeqCst)
}

fn answer(frame: &OwnedFrame, state: &State) -> Answer {
    let OwnedFrame::Array(words) = frame else { panic!("a request is an array") };
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes().unwrap()).collect();
    let _ = state.patience.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    let is_read = words[0].eq_ignore_ascii_case(b"GET");
    let misdeed = state.misdeed;
    // Exactly one command misbehaves, whichever connection it came on.
    let claims = |fits: bool| {
        due(state, fits) && state.done.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    };
    let mut values = state.values.lock().unwrap();
    let mut bytes = if is_read {
        let versions = values.get(words[1]).cloned().unwrap_or_default();
        let mut value = versions.last().cloned();
        if claims(misdeed == Misdeed::Corrupt && value.is_some()) {
            let bytes = value.as_mut().unwrap();
            let middle = bytes.len() - 3;
            bytes[middle] ^= 0x20;
        } else if claims(misdeed == Misdeed::Stale && versions.len() > 4) {
            value = Some(versions[0].clone());
        } else if misdeed == Misdeed::WrongKey {
            let other = values.iter().find(|(key, _)| **key != words[1]).map(|(_, versions)| versions[0].clone());
            if claims(other.is_some() && value.is_some()) {
                value = other;
            }
        }
        value
            .map_or(b"$-1\r\n".to_vec(), |value| [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat())
    } else if words[0].eq_ignore_ascii_case(b"SET") {
        let loses = misdeed == Misdeed::LoseWrite;
        if claims(loses) || loses && state.done.load(Ordering::SeqCst) {
            values.remove(words[1]);
        } else {
            values.entry(words[1].to_vec()).or_default().push(words[2].to_vec());
        }
        b"+OK\r\n".to_vec()
    } else {
        b"+PONG\r\n".to_vec()
    };
    let mut silent = false;
    if claims(misdeed == Misdeed::Drop) {
        bytes.clear();
    } else if claims(misdeed == Misdeed::Repeat) {
        bytes.extend(bytes.clone());
    } else if claims(misdeed == Misdeed::Silence) {
        silent = true;
    }
    Answer { bytes, silent }
}
