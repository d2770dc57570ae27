//! Primitives of a picture: text, lines, marks. Coordinates that are no numbers are left out, so that none is drawn.

use std::fmt::{Display, Write as _};

/// Fonts that are there on most machines, the better ones first.
const FONTS: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/// Colours of lines: the palette of Okabe and Ito, which people who see few colours can tell apart, without its yellow
/// (too pale on paper), and with the darkest first.
pub(super) const COLOURS: [&str; 6] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"];

/// Dashes of lines, so that they differ on a grey print, too.
pub(super) const DASHES: [&str; 6] = ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"];

/// Colour of text.
pub(super) const INK: &str = "#222222";
/// Colour of what only accompanies.
pub(super) const PALE_INK: &str = "#666666";
/// Colour of the lines of the grid.
pub(super) const GRID: &str = "#dddddd";
/// Colour of the lines between those.
pub(super) const FINE_GRID: &str = "#f0f0f0";
/// Colour of errors.
pub(super) const ALARM: &str = "#C00000";

/// How a line is drawn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Stroke {
    pub(super) colour: &'static str,
    pub(super) dash: &'static str,
    pub(super) width: f64,
}

impl Stroke {
    /// The line number `index` of a picture.
    pub(super) fn numbered(index: usize) -> Self {
        Self { colour: COLOURS[index % COLOURS.len()], dash: DASHES[index % DASHES.len()], width: 1.8 }
    }

    /// A line that everything else refers to.
    pub(super) fn main() -> Self {
        Self { colour: INK, dash: "", width: 2.2 }
    }

    pub(super) fn solid(colour: &'static str, width: f64) -> Self {
        Self { colour, dash: "", width }
    }
}

/// Which point of a text its position is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Hand {
    pub(super) size: f64,
    pub(super) colour: &'static str,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
}

impl Hand {
    pub(super) fn new(size: f64, colour: &'static str, anchor: Anchor) -> Self {
        Self { size, colour, anchor, bold: false }
    }
}

/// A picture that is being drawn.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    body: String,
}

impl Canvas {
    /// The whole document. It scales with the page that it is put on.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let (width, height) = (number(width), number(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"{FONTS}\" role=\"img\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escaped(title),
            self.body,
        )
    }

    pub(super) fn text(&mut self, x: f64, y: f64, text: &str, hand: Hand) {
        self.write_text(x, y, text, hand, "");
    }

    /// Text that goes upwards.
    pub(super) fn text_upwards(&mut self, x: f64, y: f64, text: &str, hand: Hand) {
        let turn = format!(" transform=\"rotate(-90 {} {})\"", number(x), number(y));
        self.write_text(x, y, text, hand, &turn);
    }

    fn write_text(&mut self, x: f64, y: f64, text: &str, hand: Hand, more: &str) {
        let weight = if hand.bold { " font-weight=\"bold\"" } else { "" };
        self.element(format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\"{weight}{more}>{}</text>",
            number(x),
            number(y),
            number(hand.size),
            hand.colour,
            hand.anchor.name(),
            escaped(text),
        ));
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.element(format_args!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1),
            attributes(stroke),
        ));
    }

    /// A line through points. A single one becomes a dot; points that are no numbers are left out.
    pub(super) fn path(&mut self, points: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) {
        let known: Vec<(f64, f64)> = points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        match known[..] {
            [] => {}
            [point] => self.dot(point, 3.0, stroke.colour, true),
            [(x, y), ref rest @ ..] => {
                let mut way = format!("M{} {}", number(x), number(y));
                for (x, y) in rest {
                    let _ = write!(way, "L{} {}", number(*x), number(*y));
                }
                self.element(format_args!(
                    "<path d=\"{way}\" fill=\"none\" stroke-linejoin=\"round\" {}/>",
                    attributes(stroke)
                ));
            }
        }
    }

    /// A filled shape through points.
    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: &str, opacity: f64) {
        if points.len() > 2 {
            let corners: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
            self.element(format_args!(
                "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"{}\"/>",
                corners.join(" "),
                number(opacity)
            ));
        }
    }

    /// A mark, full or hollow.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str, full: bool) {
        if x.is_finite() && y.is_finite() {
            self.element(format_args!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" stroke=\"{colour}\" stroke-width=\"1.4\"/>",
                number(x),
                number(y),
                number(radius),
                if full { colour } else { "#ffffff" },
            ));
        }
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }
}

fn attributes(stroke: Stroke) -> String {
    let mut text = format!("stroke=\"{}\" stroke-width=\"{}\"", stroke.colour, number(stroke.width));
    if !stroke.dash.is_empty() {
        let _ = write!(text, " stroke-dasharray=\"{}\"", stroke.dash);
    }
    text
}

/// A coordinate: a hundredth of a unit is finer than any print.
fn number(value: f64) -> impl Display {
    let value = if value.is_finite() { (value * 100.0).round() / 100.0 } else { 0.0 };
    // There is no negative nothing.
    if value == 0.0 { 0.0 } else { value }
}

/// Text as it stands in XML, without characters that may not stand there at all.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('?'),
            character if character.is_control() => safe.push('?'),
            character => safe.push(character),
        }
    }
    safe
}

/// About how wide a text is: a letter of these fonts is half as wide as it is high, more or less.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.55
}
