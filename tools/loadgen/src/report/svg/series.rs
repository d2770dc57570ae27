//! The curve over time, with no more points than can be told apart on paper.

use crate::measure::Point;

/// Points that a line over time is drawn with at most.
const POINTS_MAX: usize = 300;

/// A stretch of time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Stretch {
    /// Its middle, in seconds.
    pub(super) second: f64,
    /// Operations per second: the mean, and what it moved between.
    pub(super) rate: f64,
    pub(super) rate_min: f64,
    pub(super) rate_max: f64,
    /// The highest 99th percentile of its points; no number if nothing was answered.
    pub(super) p99_ms: f64,
    pub(super) errors: u64,
}

/// Points that become one stretch.
pub(super) fn points_per_stretch(points: usize) -> usize {
    points.div_ceil(POINTS_MAX).max(1)
}

/// Points joined into stretches.
pub(super) fn stretches(points: &[Point], points_per_stretch: usize) -> Vec<Stretch> {
    let tick_s = tick_s(points);
    let stretch = |points: &[Point]| Stretch {
        second: points.first().map_or(0.0, |point| point.second) + tick_s * (points.len() as f64 / 2.0 - 1.0),
        rate: points.iter().map(|point| point.rate).sum::<f64>() / points.len() as f64,
        rate_min: points.iter().map(|point| point.rate).fold(f64::INFINITY, f64::min),
        rate_max: points.iter().map(|point| point.rate).fold(0.0, f64::max),
        // A stall has no latencies. The greater of a number and no number is the number.
        p99_ms: points.iter().filter(|point| point.rate > 0.0).map(|point| point.p99_ms).fold(f64::NAN, f64::max),
        errors: points.iter().map(|point| point.errors).sum(),
    };
    points.chunks(points_per_stretch.max(1)).map(stretch).collect()
}

/// Seconds from one point to the next.
pub(super) fn tick_s(points: &[Point]) -> f64 {
    match points {
        [first, second, ..] => second.second - first.second,
        [only] => only.second,
        [] => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::point;

    #[test]
    fn long_runs_are_drawn_with_few_points() {
        let points: Vec<Point> = (1..=36_000).map(|tick| point(tick, 1_000.0)).collect();
        let joined = points_per_stretch(points.len());
        let drawn = stretches(&points, joined);
        assert_eq!((joined, drawn.len()), (120, 300));
        assert!(drawn.iter().all(|stretch| stretch.rate_min <= stretch.rate && stretch.rate <= stretch.rate_max));
        let highest = points.iter().map(|point| point.p99_ms).fold(0.0, f64::max);
        assert_eq!(drawn.iter().map(|stretch| stretch.p99_ms).fold(0.0, f64::max), highest);
        assert_eq!(drawn.iter().map(|stretch| stretch.errors).sum::<u64>(), 1);
        assert!((drawn[0].second - 6.0).abs() < 1e-6 && (drawn[299].second - 3_594.0).abs() < 1e-6);
    }

    #[test]
    fn short_runs_are_drawn_as_they_are() {
        assert_eq!(stretches(&[], points_per_stretch(0)), []);
        let points: Vec<Point> = (1..=3).map(|tick| point(tick, 1_000.0)).collect();
        let drawn = stretches(&points, points_per_stretch(3));
        assert_eq!(drawn.len(), 3);
        assert!((drawn[0].second - 0.05).abs() < 1e-9 && drawn[1].rate == points[1].rate);
        assert_eq!(stretches(&points[..1], 1).len(), 1);
        assert!(stretches(&[point(1, 0.0)], 1)[0].p99_ms.is_nan());
    }
}
