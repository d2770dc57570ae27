//! Ranks by Zipf's law: rank k is drawn with a probability proportional to 1/k^s, for any number of ranks in constant
//! time and memory.
//!
//! "Rejection-inversion to generate variates from monotone discrete distributions" (Hörmann, Derflinger, 1996): the
//! continuous density x^-s has the integral H with a simple inverse, and the area of H over [k - 1/2, k + 1/2] is a
//! little more than k^-s because the density is convex. So a point of the area is drawn and inverted; it belongs to the
//! k that is nearest, and is thrown away if it lies in what is too much.
//!
//! ```text
//!   H(k - 1/2)                 H(k + 1/2) - k^-s                  H(k + 1/2)
//!      |--- too much ---------------|--------- k^-s: rank k ----------|
//! ```
//!
//! Of rank 1 the too much is cut off beforehand, which leaves little to throw away: a point in 700 at s = 0.99. Most
//! points lie so near to their rank that this needs no second look, and the inverse is all that a rank costs.

use rand::RngCore;

use super::dice;

/// From here on 1 - s is taken for 0, where H is the logarithm; the difference is below what doubles tell apart.
const NEARLY_ONE: f64 = 1e-9;

/// The ranks 0 to `count` - 1 by popularity, the most popular first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Zipf {
    count: f64,
    exponent: f64,
    /// 1 - s, and its inverse.
    rest: f64,
    rest_inverse: f64,
    /// H at the lower end of the points, and from there to the upper one.
    from: f64,
    width: f64,
    /// Points this near below their rank need no second look: the too much of rank 2, which is the widest, as an x.
    near: f64,
}

impl Zipf {
    pub(super) fn new(count: u64, exponent: f64) -> Self {
        let rest = 1.0 - exponent;
        let rest = if rest.abs() < NEARLY_ONE { 0.0 } else { rest };
        let rest_inverse = if rest == 0.0 { 0.0 } else { 1.0 / rest };
        let mut zipf = Self { count: count as f64, exponent, rest, rest_inverse, from: 0.0, width: 0.0, near: 0.0 };
        zipf.from = zipf.area(1.5) - 1.0;
        zipf.width = zipf.area(zipf.count + 0.5) - zipf.from;
        zipf.near = 2.0 - zipf.place(zipf.area(2.5) - 2f64.powf(-exponent));
        zipf
    }

    /// H, the integral of x^-s from 1.
    #[inline]
    fn area(&self, x: f64) -> f64 {
        if self.rest == 0.0 { x.ln() } else { (x.powf(self.rest) - 1.0) * self.rest_inverse }
    }

    /// The inverse of H.
    #[inline]
    fn place(&self, area: f64) -> f64 {
        if self.rest == 0.0 { area.exp() } else { (area * self.rest + 1.0).powf(self.rest_inverse) }
    }

    /// A rank, from 0.
    #[inline]
    pub(super) fn rank(&self, rng: &mut impl RngCore) -> u64 {
        loop {
            let area = self.from + dice::unit(rng.next_u64()) * self.width;
            let x = self.place(area);
            let k = (x + 0.5).floor().clamp(1.0, self.count);
            if k - x <= self.near || area >= self.area(k + 0.5) - k.powf(-self.exponent) {
                return k as u64 - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    /// Counts what it draws.
    struct Counted(SmallRng, u64);

    impl RngCore for Counted {
        fn next_u32(&mut self) -> u32 {
            self.next_u64() as u32
        }

        fn next_u64(&mut self) -> u64 {
            self.1 += 1;
            self.0.next_u64()
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            self.0.fill_bytes(bytes);
        }
    }

    /// Draws `draws` ranks and compares the shares of the first ones and of the rest with the law.
    #[track_caller]
    fn check(count: u64, exponent: f64) {
        let draws = 400_000;
        let (zipf, mut rng) = (Zipf::new(count, exponent), SmallRng::seed_from_u64(count));
        let weight = |rank: u64| (rank as f64 + 1.0).powf(-exponent);
        let all: f64 = (0..count).map(weight).sum();
        let mut found = vec![0u64; count as usize];
        (0..draws).for_each(|_| found[zipf.rank(&mut rng) as usize] += 1);
        let expect = |ranks: std::ops::Range<u64>| {
            let share = ranks.clone().map(weight).sum::<f64>() / all;
            let found = found[ranks.start as usize..ranks.end as usize].iter().sum::<u64>() as f64 / draws as f64;
            // Five standard deviations.
            let allowed = 5.0 * (share * (1.0 - share) / draws as f64).sqrt() + 1e-12;
            assert!((found - share).abs() <= allowed, "{count}, {exponent}, {ranks:?}: {found} instead of {share}");
        };
        (0..count.min(20)).for_each(|rank| expect(rank..rank + 1));
        expect(0..count.div_ceil(10));
        expect(count / 2..count);
        expect(count - 1..count);
    }

    #[test]
    fn ranks_follow_the_law() {
        for exponent in [0.1, 0.5, 0.99, 1.0, 1.000_001, 1.2, 2.0, 5.0, 10.0] {
            check(1_000, exponent);
        }
        check(1, 0.99);
        check(2, 0.99);
        check(3, 1.5);
        check(100_000, 0.99);
    }

    #[test]
    fn the_top_key_of_ycsb_has_its_share() {
        // 1/H for a thousand keys at 0.99: 12.9 % of the draws.
        let (zipf, mut rng) = (Zipf::new(1_000, 0.99), SmallRng::seed_from_u64(3));
        let top = (0..100_000).filter(|_| zipf.rank(&mut rng) == 0).count() as f64 / 100_000.0;
        let law = 1.0 / (1..=1000).map(|k| f64::from(k).powf(-0.99)).sum::<f64>();
        assert!((top - law).abs() < 0.005, "{top} instead of {law}");
    }

    #[test]
    fn few_points_are_thrown_away() {
        let draws = |exponent| {
            let (zipf, mut rng) = (Zipf::new(100_000, exponent), Counted(SmallRng::seed_from_u64(5), 0));
            assert!((0..100_000).all(|_| zipf.rank(&mut rng) < 100_000));
            rng.1 as f64 / 100_000.0
        };
        for exponent in [0.5, 0.99, 1.5, 3.0] {
            let draws = draws(exponent);
            assert!(draws < 1.1, "{draws} draws for a rank at {exponent}");
        }
    }

    #[test]
    fn a_trillion_keys_cost_no_more() {
        let (zipf, mut rng) = (Zipf::new(1_000_000_000_000, 0.99), SmallRng::seed_from_u64(4));
        assert!((0..10_000).all(|_| zipf.rank(&mut rng) < 1_000_000_000_000));
    }
}
