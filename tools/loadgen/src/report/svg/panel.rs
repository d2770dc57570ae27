//! A rectangle with two axes, and what is drawn in it by value rather than by place.

use super::canvas::{Anchor, Canvas, FINE_GRID, GRID, Hand, INK, PALE_INK, Stroke};
use super::scale::Scale;

/// Size of the numbers at an axis.
const TICK_SIZE: f64 = 11.0;

/// Size of what an axis is called.
const LABEL_SIZE: f64 = 12.0;

/// Least distance between two numbers of an axis, in their own heights.
const APART: f64 = 1.3;

/// A plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Panel {
    /// Where a point is drawn.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left + self.x.place(x) * self.width, self.bottom() - self.y.place(y) * self.height)
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Grid, axes and their names. Without an `x_label`, the numbers of the x axis are left to the panel below.
    pub(super) fn frame(&self, canvas: &mut Canvas, x_label: &str, y_label: &str) {
        self.y_axis(canvas);
        self.x_axis(canvas, !x_label.is_empty());
        let edge = Stroke::solid(PALE_INK, 1.0);
        canvas.line((self.left, self.top), (self.left, self.bottom()), edge);
        canvas.line((self.left, self.bottom()), (self.right(), self.bottom()), edge);
        let hand = Hand::new(LABEL_SIZE, INK, Anchor::Middle);
        canvas.text(self.left + self.width / 2.0, self.bottom() + 36.0, x_label, hand);
        canvas.text_upwards(self.left - 56.0, self.top + self.height / 2.0, y_label, hand);
    }

    fn y_axis(&self, canvas: &mut Canvas) {
        let mut last = f64::INFINITY;
        for tick in self.y.ticks() {
            let (_, y) = self.at(0.0, tick.value);
            let named = !tick.label.is_empty() && last - y >= TICK_SIZE * APART;
            canvas.line((self.left, y), (self.right(), y), Stroke::solid(if named { GRID } else { FINE_GRID }, 1.0));
            if named {
                last = y;
                canvas.text(self.left - 7.0, y + 4.0, &tick.label, Hand::new(TICK_SIZE, INK, Anchor::End));
            }
        }
    }

    fn x_axis(&self, canvas: &mut Canvas, with_numbers: bool) {
        for tick in self.x.ticks() {
            let (x, _) = self.at(tick.value, 0.0);
            canvas.line((x, self.top), (x, self.bottom()), Stroke::solid(GRID, 1.0));
            if with_numbers {
                canvas.line((x, self.bottom()), (x, self.bottom() + 4.0), Stroke::solid(PALE_INK, 1.0));
                let hand = Hand::new(TICK_SIZE, INK, Anchor::Middle);
                canvas.text(x, self.bottom() + 17.0, &tick.label, hand);
            }
        }
    }

    /// A line through values.
    pub(super) fn plot(&self, canvas: &mut Canvas, values: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) {
        canvas.path(values.into_iter().map(|(x, y)| self.at(x, y)), stroke);
    }

    /// A level that something is compared with, and what it is, at one end of the line.
    pub(super) fn level(&self, canvas: &mut Canvas, y: f64, text: &str, end: Anchor) {
        let stroke = Stroke { colour: PALE_INK, dash: "5 4", width: 1.2 };
        let (_, at) = self.at(0.0, y);
        canvas.line((self.left, at), (self.right(), at), stroke);
        let below = at - self.top < 16.0;
        let x = if end == Anchor::Start { self.left + 6.0 } else { self.right() - 4.0 };
        canvas.text(x, if below { at + 13.0 } else { at - 5.0 }, text, Hand::new(TICK_SIZE, PALE_INK, end));
    }

    /// A remark above the right end.
    pub(super) fn remark(&self, canvas: &mut Canvas, text: &str) {
        canvas.text(self.right(), self.top - 5.0, text, Hand::new(TICK_SIZE, PALE_INK, Anchor::End));
    }

    /// What stands where there is nothing to draw.
    pub(super) fn empty(&self, canvas: &mut Canvas) {
        let hand = Hand::new(LABEL_SIZE, PALE_INK, Anchor::Middle);
        canvas.text(self.left + self.width / 2.0, self.top + self.height / 2.0, "nothing was measured", hand);
    }
}
