//! Recorded requests of a cache: one a line, `t,key,size,ttl`.
//!
//! `t` is in seconds from the start, `key` a number, `size` the object's bytes, and `ttl` the seconds that a SET after a
//! miss gives it, 0 for none. Only the order of requests counts in a replay, not `t`.

use std::collections::HashSet;

use super::PlanError;
use super::quantity::VALUE_BYTES_MAX;

/// One request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Which object.
    pub key: u64,
    /// How large it is, in bytes.
    pub size: u32,
    /// Seconds that it lives when it is set; 0: forever.
    pub ttl_s: u64,
}

impl Request {
    /// Reads a line, whose number is for the error.
    pub fn parse(line: &str, number: usize) -> Result<Self, PlanError> {
        let wrong = || PlanError(format!("line {number} of the trace reads {line:?}; expected is t,key,size,ttl"));
        let mut fields = line.trim_end().split(',').skip(1);
        let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok()).ok_or_else(wrong);
        let (key, size, ttl_s) = (next()?, next()?, next()?);
        let size = u32::try_from(size).ok().filter(|size| *size <= VALUE_BYTES_MAX);
        Ok(Self { key, size: size.ok_or_else(wrong)?, ttl_s })
    }
}

/// Reads a whole trace.
pub fn parse(text: &str) -> Result<Vec<Request>, PlanError> {
    text.lines().enumerate().map(|(index, line)| Request::parse(line, index + 1)).collect()
}

/// Bytes of all objects of a trace, each counted once, with the size that it had first.
pub fn footprint(trace: &[Request]) -> u64 {
    let mut seen = HashSet::with_capacity(trace.len() / 4);
    trace.iter().filter(|request| seen.insert(request.key)).map(|request| u64::from(request.size)).sum()
}

/// Makes all objects larger (or smaller) by a factor; none becomes empty or larger than a value may be.
pub fn scale(trace: &mut [Request], factor: f64) {
    for request in trace {
        let size = (f64::from(request.size) * factor).round();
        request.size = (size as u32).clamp(1, VALUE_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_wrong_ones_named() {
        let trace = parse("0,7,100,0\n1,8,200,60\r\n2,7,100,0\n").unwrap();
        assert_eq!(trace[1], Request { key: 8, size: 200, ttl_s: 60 });
        assert_eq!((trace.len(), footprint(&trace)), (3, 300));
        for bad in ["", "1,2,3", "1,x,3,4", "1,2,-3,4", "1,2,999999999999,4"] {
            let error = parse(&format!("0,7,100,0\n{bad}\n")).unwrap_err().to_string();
            assert!(error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn objects_grow_by_the_factor() {
        let mut trace = parse("0,1,10,0\n0,2,1,0\n").unwrap();
        scale(&mut trace, 2.5);
        assert_eq!((trace[0].size, trace[1].size), (25, 3));
        scale(&mut trace, 0.001);
        assert_eq!((trace[0].size, trace[1].size), (1, 1));
    }
}
