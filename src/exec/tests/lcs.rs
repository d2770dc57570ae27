//! LCS, on its own and against the table of numbers that it does without.

use proptest::prelude::*;

use super::{Client, transcript};
use crate::resp::Protocol;

#[test]
fn lcs() {
    transcript(|t| {
        t.check("MSET a ohmytext b mynewtext", "+OK");
        t.check("LCS a b", "mytext");
        t.check("LCS a b LEN", ":6");
        t.check("LCS a b IDX", "[matches, [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], len, :6]");
        t.check("LCS a b idx withmatchlen MINMATCHLEN 3", "[matches, [[[:4, :7], [:5, :8], :4]], len, :6]");
        t.check("LCS a b IDX MINMATCHLEN -7 MINMATCHLEN 5", "[matches, [], len, :6]");
        t.check("LCS a b MINMATCHLEN 5 WITHMATCHLEN", "mytext");
        t.check("LCS a missing", "\"\"");
        t.check("LCS missing a LEN", ":0");
        t.check("LCS missing missing IDX", "[matches, [], len, :0]");
        t.check("SET n 12345", "+OK");
        t.check("LCS n n", "12345");
        t.protocol = Protocol::Resp3;
        t.check("LCS n n IDX", "{matches: [[[:0, :4], [:0, :4]]], len: :5}");
    });
}

#[test]
fn lcs_mistakes() {
    transcript(|t| {
        t.check("MSET a ohmytext b mynewtext", "+OK");
        t.check("LCS a b IDX LEN", "-ERR If you want both the length and indexes, please just use IDX.");
        t.check("LCS a b IDX LEN x", "-ERR syntax error");
        t.check("LCS a b MINMATCHLEN", "-ERR syntax error");
        t.check("LCS a b MINMATCHLEN x", "-ERR value is not an integer or out of range");
        t.bulk_bytes_max = 4 * 9 * 10;
        t.check("LCS a b LEN", ":6");
        t.bulk_bytes_max -= 1;
        t.check("LCS a b LEN", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    });
}

/// The runs and the length by the book: a number a cell, and the way back that Redis takes.
fn model(a: &[u8], b: &[u8]) -> (Vec<[usize; 4]>, usize) {
    let mut table = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            table[i][j] =
                if a[i - 1] == b[j - 1] { table[i - 1][j - 1] + 1 } else { table[i - 1][j].max(table[i][j - 1]) };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut runs: Vec<[usize; 4]> = Vec::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            match runs.last_mut() {
                Some(run) if run[0] == i && run[2] == j => (run[0], run[2]) = (i - 1, j - 1),
                _ => runs.push([i - 1, i - 1, j - 1, j - 1]),
            }
            (i, j) = (i - 1, j - 1);
        } else if table[i - 1][j] > table[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    (runs, table[a.len()][b.len()])
}

proptest! {
    #[test]
    fn runs_are_those_of_the_table(a in "[a-d]{0,200}", b in "[a-e]{0,200}") {
        let mut client = Client::new();
        client.command(&[b"MSET", b"a", a.as_bytes(), b"b", b.as_bytes()]);
        let (runs, length) = model(a.as_bytes(), b.as_bytes());
        let run = |[a, b, c, d]: &[usize; 4]| format!("[[:{a}, :{b}], [:{c}, :{d}], :{}]", b - a + 1);
        let runs: Vec<_> = runs.iter().map(run).collect();
        let expected = format!("[matches, [{}], len, :{length}]", runs.join(", "));
        prop_assert_eq!(client.ask("LCS a b IDX WITHMATCHLEN"), expected);
        prop_assert_eq!(client.ask("LCS a b LEN"), format!(":{length}"));
    }
}
