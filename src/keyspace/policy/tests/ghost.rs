//! The ghost: its length, its mistakes, its size, and its change of tables.

use super::table::item;
use crate::keyspace::policy::Ghost;

#[test]
fn nothing_is_allocated_before_the_first_drop() {
    let mut ghost = Ghost::default();
    assert!(!ghost.take(item(1)));
    assert_eq!(ghost.held_bytes(), 0);
    ghost.remember(item(1), 1_000_000);
    assert!(ghost.held_bytes() < 200_000, "only the segment that was written");
    assert!(ghost.take(item(1)));
    assert!(!ghost.take(item(1)), "a hit removes");
}

#[test]
fn the_last_drops_count_and_older_ones_do_not() {
    const LENGTH: u64 = 50_000;
    let mut ghost = Ghost::default();
    (0..LENGTH * 4).for_each(|key| ghost.remember(item(key), LENGTH as usize));
    assert!(ghost.len() <= LENGTH as usize && ghost.len() > LENGTH as usize * 97 / 100, "{}", ghost.len());
    let bytes = ghost.held_bytes() as f64 / LENGTH as f64;
    assert!(bytes < 2.4, "{bytes} bytes per fingerprint: 64 / 28 and the last segment");
    // Ages in lengths of the ghost: each bucket is up to a fifth early or late.
    let found = |ghost: &mut Ghost, from: f64, to: f64| {
        let (newest, length) = (LENGTH * 4, LENGTH as f64);
        let keys = newest - (to * length) as u64..newest - (from * length) as u64;
        let asked = keys.end - keys.start;
        keys.filter(|key| ghost.take(item(*key))).count() as f64 / asked as f64
    };
    let mut at = |from, to| found(&mut ghost, from, to);
    let (young, middle, old) = (at(0.0, 0.6), at(0.9, 1.1), at(1.6, 3.0));
    assert!(young > 0.98 && (0.35..0.65).contains(&middle) && old < 0.02, "{young} {middle} {old}");
}

#[test]
fn strangers_are_rarely_taken_for_friends() {
    let mut ghost = Ghost::default();
    (0..100_000).for_each(|key| ghost.remember(item(key), 100_000));
    let mistakes = (0..1_000_000u64).filter(|key| ghost.take(item(1 << 32 | key))).count();
    assert!(mistakes < 1_000_000 / 2_000, "{mistakes} in a million");
}

#[test]
fn a_small_ghost_is_exact() {
    for length in 1..=28 {
        let mut ghost = Ghost::default();
        (0..100).for_each(|key| ghost.remember(item(key), length));
        let held: Vec<u64> = (0..100).filter(|key| ghost.take(item(*key))).collect();
        assert_eq!(held, (100 - length as u64..100).collect::<Vec<_>>());
    }
}

#[test]
fn a_change_of_tables_forgets_nothing_young() {
    let mut ghost = Ghost::default();
    (0..40_000).for_each(|key| ghost.remember(item(key), 20_000));
    // Four times the length: the old table is consulted while the fresh one fills.
    (40_000..45_000).for_each(|key| ghost.remember(item(key), 80_000));
    let recent = (30_000..45_000).filter(|key| ghost.take(item(*key))).count();
    assert!(recent > 14_700, "{recent}");
    // When as much has come as it held it is freed, segment by segment.
    let doubled = ghost.held_bytes();
    (45_000..200_000).for_each(|key| ghost.remember(item(key), 80_000));
    assert!(ghost.held_bytes() <= 80_000 * 24 / 10, "{doubled} to {}", ghost.held_bytes());
    assert!(ghost.len() > 76_000);
    // And back.
    (200_000..400_000).for_each(|key| ghost.remember(item(key), 2_000));
    assert!(ghost.held_bytes() <= 2_000 * 4, "{}", ghost.held_bytes());
    assert!((1_900..=2_000).contains(&ghost.len()), "{}", ghost.len());
}
