//! The longest turn of a server in each hundredth of a second, so that those in which the machine was calm can be told
//! from the others: a CPU that is taken away in the middle of a turn makes the turn as much longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::server::{Info, Running};
use crate::stalls::{Stall, is_calm, unix_ms};

/// Time between two looks.
const WINDOW: Duration = Duration::from_millis(10);

/// What was the longest turn between two looks; times in milliseconds since 1970.
struct Window {
    begin_ms: f64,
    end_ms: f64,
    longest_us: u64,
}

/// Looks until it is asked.
pub(crate) struct TurnWatch {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Window>>>,
}

/// What it has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// The longest turn.
    pub(crate) longest_us: u64,
    /// The longest of the windows in which the machine was calm.
    pub(crate) own_longest_us: u64,
    /// How many of the windows these are, of all.
    pub(crate) own_share: f64,
}

impl Turns {
    /// Of a table: the longest, and the longest without what the machine did.
    pub(crate) fn columns(turns: Option<Turns>) -> [String; 2] {
        turns.map_or(["-", "-"].map(str::to_owned), |turns| {
            let own = format!("{} ({:.0} %)", turns.own_longest_us, turns.own_share * 100.0);
            [turns.longest_us.to_string(), own]
        })
    }
}

impl TurnWatch {
    /// Begins. Each look sets the server's statistics back.
    pub(crate) fn start(server: &Running) -> TurnWatch {
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, mut client) = (is_over.clone(), server.connect());
        let thread = std::thread::spawn(move || {
            let mut windows = Vec::new();
            client.ask("CONFIG RESETSTAT");
            let mut begin_ms = unix_ms();
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(WINDOW);
                let next_ms = unix_ms();
                let found = Info::parse(&client.ask("INFO cores").text()).longest_turn_us();
                client.ask("CONFIG RESETSTAT");
                let Some(longest_us) = found else { return windows };
                windows.push(Window { begin_ms, end_ms: unix_ms(), longest_us });
                begin_ms = next_ms;
            }
            windows
        });
        TurnWatch { is_over, thread: Some(thread) }
    }

    /// Ends, and says what it has seen, beside what the machine did; none if the server does not tell.
    pub(crate) fn turns(mut self, stalls: &[Stall]) -> Option<Turns> {
        let windows = self.end();
        let longest = |windows: &[&Window]| windows.iter().map(|window| window.longest_us).max();
        let is_own = |window: &Window| is_calm(stalls, window.begin_ms, window.end_ms);
        let (all, own): (Vec<_>, Vec<_>) =
            (windows.iter().collect(), windows.iter().filter(|one| is_own(one)).collect());
        Some(Turns {
            longest_us: longest(&all)?,
            own_longest_us: longest(&own)?,
            own_share: own.len() as f64 / all.len() as f64,
        })
    }

    fn end(&mut self) -> Vec<Window> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for TurnWatch {
    fn drop(&mut self) {
        self.end();
    }
}
