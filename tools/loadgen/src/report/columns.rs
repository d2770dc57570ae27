//! Numbers as people read them, and columns that stand below each other.

use std::fmt::Write as _;

/// Columns of a page of text.
pub(super) const WIDTH: usize = 110;

/// Spaces between columns.
const GAP: usize = 2;

/// What stands for a number that does not exist.
pub(super) const NONE: &str = "-";

/// Rows as lines: the first column starts at the left, the others end at the right.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let widths = widths(rows);
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match place {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "{:GAP$}{cell:>width$}", ""),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Width of each column.
pub(super) fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max();
    (0..columns).map(|column| width(column).unwrap_or(0)).collect()
}

/// Columns of a line that has cells as wide as these.
pub(super) fn line_width(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// A line above the rows that says what the columns from `first` on have in common.
pub(super) fn heading(rows: &[Vec<String>], first: usize, text: &str) -> String {
    let widths = widths(rows);
    let before = line_width(&widths[..first.min(widths.len())]);
    let across = line_width(&widths).saturating_sub(before + GAP);
    let line = format!("{:before$}{:GAP$}{:-^across$}", "", "", format!(" {text} "));
    format!("{}\n", line.trim_end())
}

/// `name value` pairs in as many lines as they need, each indented.
pub(super) fn settings(settings: &[(String, String)]) -> String {
    let mut text = String::new();
    let mut column = 0;
    for (name, value) in settings {
        let item = printable(&format!("{name} {value}"));
        let width = item.chars().count();
        if column > 0 && column + 2 + width < WIDTH {
            text.push_str(", ");
            column += 2;
        } else {
            text.push_str(if column > 0 { ",\n  " } else { "  " });
            column = 2;
        }
        text.push_str(&item);
        column += width;
    }
    if column > 0 {
        text.push('\n');
    }
    text
}

/// A whole number with its thousands apart: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with so many digits behind the point and its thousands apart.
pub(super) fn fixed(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{:.decimals$}", number.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{whole}{rest}")
}

/// Operations in a second: whole ones, unless they are few.
pub(super) fn rate(number: f64) -> String {
    fixed(number, if number < 99.95 { 1 } else { 0 })
}

/// Digits behind the point that a number of milliseconds deserves beside others of which `most` is the largest.
pub(super) fn decimals_ms(most: f64) -> usize {
    match most {
        most if most < 10_000.0 => 3,
        most if most < 100_000.0 => 2,
        most if most < 1_000_000.0 => 1,
        _ => 0,
    }
}

/// Text from elsewhere without what would move a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

/// Text from elsewhere that is no longer than so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= most {
        return text;
    }
    let mut short: String = text.chars().take(most.saturating_sub(3)).collect();
    short.push_str("...");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(fixed(-1234.5678, 2), "-1,234.57");
        assert_eq!(fixed(0.0004, 3), "0.000");
        assert_eq!(fixed(f64::NAN, 3), "-");
        assert_eq!((rate(12.34), rate(99.96), rate(123_456.7)), ("12.3".into(), "100".into(), "123,457".into()));
    }

    #[test]
    fn columns_end_below_each_other() {
        let rows = vec![vec!["".into(), "a".into(), "long".into()], vec!["name".into(), "1,000".into(), "2".into()]];
        assert_eq!(aligned(&rows), "          a  long\nname  1,000     2\n");
        assert_eq!(heading(&rows, 1, "x"), "      ---- x ----\n");
    }

    #[test]
    fn settings_wrap() {
        assert_eq!(settings(&[]), "");
        let pairs: Vec<_> = (0..40).map(|number| (format!("name{number}"), "value".to_owned())).collect();
        let text = settings(&pairs);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.starts_with("  ") && line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches("value").count(), 40);
    }

    #[test]
    fn text_from_elsewhere_cannot_move_the_cursor() {
        assert_eq!(printable("a\x1b[2Jb\n"), "a?[2Jb?");
        assert_eq!(shortened("abcdefgh", 6), "abc...");
        assert_eq!(shortened("ääääää", 6), "ääääää");
    }
}
