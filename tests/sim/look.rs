//! What all keys hold while nothing else happens.

use crate::clients::Clients;
use crate::history::Operation;
use crate::model::{State, Value, Window};
use crate::node::LAG_US;
use crate::reply::Reply;

/// Reads the keys of the databases below `databases`. Returns the state that the replies show, and the numbers of the
/// commands that have shown it.
pub(crate) fn look(
    clients: &mut Clients,
    observer: usize,
    databases: usize,
    keys: &[String],
) -> Result<(State, Vec<usize>), String> {
    let (mut state, mut looks) = (State::default(), Vec::new());
    for database in 0..databases {
        clients.ask_line(observer, &format!("SELECT {database}"));
        let types: Vec<usize> = keys.iter().map(|key| clients.ask_line(observer, &format!("TYPE {key}"))).collect();
        clients.rest()?;
        for (key, number) in keys.iter().zip(types) {
            looks.push(number);
            let Some(Reply::Simple(type_name)) = clients.operations[number].reply.clone() else { continue };
            let read = match type_name.as_str() {
                "string" => format!("GET {key}"),
                "list" => format!("LRANGE {key} 0 -1"),
                "set" => format!("SMEMBERS {key}"),
                "zset" => format!("ZRANGE {key} 0 -1 WITHSCORES"),
                _ => continue,
            };
            let [read, left] = [read, format!("PTTL {key}")].map(|line| clients.ask_line(observer, &line));
            clients.rest()?;
            looks.extend([read, left]);
            let (read, left) = (&clients.operations[read], &clients.operations[left]);
            if let Some(value) = read.reply.as_ref().and_then(|reply| Value::of(&type_name, reply))
                && let Some(Reply::Integer(left_ms)) = left.reply
                && left_ms != -2
            {
                state.databases[database].put(key.as_bytes(), value, deadline(left, left_ms));
            }
        }
    }
    state.forget_changes();
    // In the order in which they were asked.
    looks.sort_unstable();
    Ok((state, looks))
}

/// The deadline that the reply to a PTTL shows.
fn deadline(asked: &Operation, left_ms: i64) -> Option<Window> {
    (left_ms >= 0).then(|| {
        let from = asked.sent.map_or(0, |(_, ms)| ms - LAG_US.div_ceil(1000)) + left_ms as u64;
        Window { from, to: asked.answered.map_or(u64::MAX, |(_, ms)| ms + left_ms as u64) }
    })
}
