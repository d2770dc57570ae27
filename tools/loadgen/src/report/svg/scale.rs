//! Where a value stands between the two ends of an axis, and which values are named there.

use super::super::columns::fixed;

/// Values whose ratio is greater than this are drawn on a logarithmic scale.
const WIDE_RATIO: f64 = 15.0;

/// Decades within which the values between powers of ten are named, too.
const NARROW_DECADES: f64 = 1.7;

/// Most nines of a percentile axis: 99.99999 %.
const NINES_MAX: f64 = 7.0;

/// How values are spread along an axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Scale {
    /// Equal differences are equally long.
    Linear { low: f64, high: f64 },
    /// Equal ratios are equally long.
    Log { low: f64, high: f64 },
    /// Parts of a whole, 0 to 1; as long as the logarithm of 1 / (1 - part): each nine is one unit.
    Nines { high: f64 },
}

/// A value that is marked on an axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Tick {
    pub(super) value: f64,
    /// Empty: only a fine line.
    pub(super) label: String,
}

impl Scale {
    /// From nothing to the largest value.
    pub(super) fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let step = nice_step(most);
        // A little room above the line.
        let high = if most > 0.0 { (most * 1.02 / step).ceil() * step } else { 1.0 };
        Self::Linear { low: 0.0, high }
    }

    /// From nothing to a little more than the largest value, round or not.
    pub(super) fn just_beyond(values: impl Iterator<Item = f64>) -> Self {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        Self::Linear { low: 0.0, high: if most > 0.0 { most * 1.03 } else { 1.0 } }
    }

    /// For latencies: logarithmic if they lie far apart.
    pub(super) fn for_latencies(values: impl Iterator<Item = f64>) -> Self {
        let known: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let most = known.iter().copied().fold(0.0, f64::max);
        if most / least > WIDE_RATIO {
            // Nothing is told apart below a nanosecond.
            Self::Log { low: round_125(least.max(1e-6), false), high: round_125(most * 1.02, true) }
        } else {
            Self::from_zero(known.into_iter())
        }
    }

    /// For percentiles of so many samples: it ends where the last of them stands alone.
    pub(super) fn for_percentiles(samples: u64) -> Self {
        Self::Nines { high: (samples.max(1) as f64).log10().clamp(2.0, NINES_MAX) }
    }

    /// Where a value stands, 0 to 1. What lies outside stands at the end; what is no number nowhere.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { .. } if value <= 0.0 => 0.0,
            Self::Log { low, high } => (value / low).ln() / (high / low).ln(),
            Self::Nines { high } => -(1.0 - value).max(0.0).log10() / high,
        };
        // Clamping lets through what is no number.
        place.clamp(0.0, 1.0)
    }

    /// The values to mark.
    pub(super) fn ticks(self) -> Vec<Tick> {
        match self {
            Self::Linear { low, high } => linear_ticks(low, high),
            Self::Log { low, high } => log_ticks(low, high),
            Self::Nines { high } => nines_ticks(high),
        }
    }
}

/// The step between marks of an axis that goes up to about `most`: 1, 2 or 5 and zeros, four to eight of them.
fn nice_step(most: f64) -> f64 {
    if most <= 0.0 {
        return 0.2;
    }
    let rough = most / 5.0;
    let decade = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * decade >= rough * 0.8).unwrap_or(10.0);
    factor * decade
}

/// The next of 1, 2, 5 and zeros, above or below.
fn round_125(value: f64, up: bool) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    // A value that is one of them already stays, whatever its last digit says.
    let part = value / decade;
    let factor = match up {
        true => [1.0, 2.0, 5.0].into_iter().find(|factor| factor * 1.000_001 >= part).unwrap_or(10.0),
        false => [5.0, 2.0].into_iter().find(|factor| factor / 1.000_001 <= part).unwrap_or(1.0),
    };
    factor * decade
}

fn linear_ticks(low: f64, high: f64) -> Vec<Tick> {
    let step = nice_step(high - low);
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let count = ((high - low) / step + 1e-6) as u32;
    let values = (0..=count.min(20)).map(|number| low + f64::from(number) * step);
    values.map(|value| Tick { value, label: plain(value, decimals) }).collect()
}

fn log_ticks(low: f64, high: f64) -> Vec<Tick> {
    let narrow = (high / low).log10() < NARROW_DECADES;
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let mut ticks = Vec::new();
    for decade in first..=last {
        for digit in 1..=9_u8 {
            // Parsed, a power of ten is exact.
            let value: f64 = format!("{digit}e{decade}").parse().unwrap_or(f64::NAN);
            if value < low / 1.000_001 || value > high * 1.000_001 {
                continue;
            }
            let named = digit == 1 || narrow && matches!(digit, 2 | 5);
            let decimals = (-decade).max(0) as usize;
            ticks.push(Tick { value, label: if named { plain(value, decimals) } else { String::new() } });
        }
    }
    ticks
}

fn nines_ticks(high: f64) -> Vec<Tick> {
    let mut ticks = vec![Tick { value: 0.0, label: "0 %".to_owned() }, Tick { value: 0.5, label: "50 %".to_owned() }];
    for nines in 1..=(high + 1e-9) as i32 {
        let decimals = (nines - 2).max(0) as usize;
        let value = 1.0 - 10_f64.powi(-nines);
        ticks.push(Tick { value, label: format!("{:.decimals$} %", value * 100.0) });
    }
    ticks
}

/// A number on an axis: thousands and millions are named.
fn plain(value: f64, decimals: usize) -> String {
    for (size, name) in [(1e9, "G"), (1e6, "M"), (1e4, "k")] {
        if value >= size * 0.999_999 {
            let unit = if name == "k" { 1e3 } else { size };
            let text = format!("{:.3}", value / unit);
            return format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'));
        }
    }
    fixed(value, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn marks_are_round_numbers() {
        assert_eq!(labels(Scale::from_zero([0.37].into_iter())), ["0.0", "0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(labels(Scale::from_zero([98_000.0].into_iter())), ["0", "20k", "40k", "60k", "80k", "100k"]);
        assert_eq!(labels(Scale::from_zero([2_100_000.0].into_iter())), ["0", "500k", "1M", "1.5M", "2M", "2.5M"]);
        assert_eq!(labels(Scale::from_zero([7.0].into_iter())), ["0", "2", "4", "6", "8"]);
        let wide = [0.03, 700.0];
        assert_eq!(labels(Scale::for_latencies(wide.into_iter())), ["0.1", "1", "10", "100", "1,000"]);
        assert_eq!(labels(Scale::for_latencies([0.1, 1.9].into_iter())), ["0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(labels(Scale::for_percentiles(20_000)), ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }

    #[test]
    fn every_place_is_on_the_axis() {
        let odd = [0.0, -1.0, 1e-300, 1e300, f64::INFINITY, 0.5, 1.0];
        let mut scales: Vec<Scale> = odd.iter().map(|most| Scale::from_zero([*most].into_iter())).collect();
        scales.extend(odd.iter().map(|most| Scale::for_latencies([*most, 0.001].into_iter())));
        scales.extend([0, 1, u64::MAX].map(Scale::for_percentiles));
        for scale in scales {
            for value in odd {
                let place = scale.place(value);
                assert!((0.0..=1.0).contains(&place), "{scale:?} {value}: {place}");
            }
            let ticks = scale.ticks();
            assert!(ticks.len() <= 3_000 && ticks.iter().all(|tick| tick.value.is_finite()), "{scale:?}");
            assert!(ticks.is_sorted_by(|one, next| scale.place(one.value) <= scale.place(next.value)), "{scale:?}");
        }
    }

    #[test]
    fn the_ends_are_at_the_ends() {
        let scale = Scale::for_latencies([0.03, 700.0].into_iter());
        assert_eq!(scale, Scale::Log { low: 0.02, high: 1_000.0 });
        assert!(scale.place(0.02) == 0.0 && (scale.place(1_000.0) - 1.0).abs() < 1e-12);
        let nines = Scale::for_percentiles(10_000);
        assert!(nines.place(0.0) == 0.0 && (nines.place(0.99) - 0.5).abs() < 1e-9 && nines.place(1.0) == 1.0);
    }
}
