//! The load: redis-benchmark with SET and GET over 100,000 random keys and 64-byte values.

use std::process::{Command, Stdio};

use crate::peers::Running;

/// One kind of load.
pub(crate) struct Load {
    pub(crate) pipeline: usize,
    pub(crate) connections: usize,
    /// Of each of the two tests.
    pub(crate) operations: usize,
    pub(crate) client_cpu: usize,
}

/// What one round has shown. Latencies are the worse of SET and GET.
#[derive(Clone, Copy, Default)]
pub(crate) struct Figures {
    /// CPU of the server per operation, in microseconds.
    pub(crate) cpu_us: f64,
    /// Operations per second.
    pub(crate) throughput: f64,
    /// Latencies in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Figures {
    /// The middle of every figure over the rounds.
    pub(crate) fn middle(rounds: &[Figures]) -> Figures {
        let of = |figure: fn(&Figures) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            let half = values.len() / 2;
            if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
        };
        Figures {
            cpu_us: of(|round| round.cpu_us),
            throughput: of(|round| round.throughput),
            p50: of(|round| round.p50),
            p99: of(|round| round.p99),
            p999: of(|round| round.p999),
        }
    }
}

impl Load {
    /// Drives a server once.
    pub(crate) fn drive(&self, server: &Running) -> Result<Figures, String> {
        let before = server.cpu_us()?;
        let mut command = Command::new("taskset");
        command.args([
            "-c",
            &self.client_cpu.to_string(),
            "redis-benchmark",
            "-t",
            "set,get",
            "-r",
            "100000",
            "-d",
            "64",
        ]);
        for (flag, value) in
            [("-p", usize::from(server.port)), ("-c", self.connections), ("-P", self.pipeline), ("-n", self.operations)]
        {
            command.args([flag, &value.to_string()]);
        }
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("redis-benchmark: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(format!(
                "redis-benchmark against {}: {}",
                server.name,
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let spent = server.cpu_us()? - before;
        let tests: Vec<Test> = text.split("====== ").skip(1).map(Test::read).collect::<Result<_, _>>()?;
        if tests.len() != 2 {
            return Err(format!("redis-benchmark ran {} tests instead of two:\n{text}", tests.len()));
        }
        let worse = |figure: fn(&Test) -> f64| tests.iter().map(figure).fold(0.0, f64::max);
        let seconds: f64 = tests.iter().map(|test| self.operations as f64 / test.throughput).sum();
        let operations = (2 * self.operations) as f64;
        Ok(Figures {
            cpu_us: spent / operations,
            throughput: operations / seconds,
            p50: worse(|test| test.p50),
            p99: worse(|test| test.p99),
            p999: worse(|test| test.p999),
        })
    }
}

/// What redis-benchmark says about one of its tests.
struct Test {
    throughput: f64,
    p50: f64,
    p99: f64,
    p999: f64,
}

impl Test {
    fn read(text: &str) -> Result<Test, String> {
        let lacks = |what: &str| format!("redis-benchmark does not give {what}:\n{text}");
        let mut lines = text.lines().map(str::trim);
        let throughput = lines.find_map(|line| line.strip_prefix("throughput summary: "));
        let throughput = throughput.and_then(first_number).ok_or_else(|| lacks("a throughput"))?;
        // The row below the head `avg min p50 p95 p99 max`.
        let row = lines.skip_while(|line| !line.starts_with("avg")).nth(1).unwrap_or_default();
        let row: Vec<f64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [_, _, p50, _, p99, _] = row[..] else { return Err(lacks("latencies")) };
        let p999 = text.lines().filter_map(percentile).find(|(percent, _)| *percent >= 99.9);
        let (_, p999) = p999.ok_or_else(|| lacks("99.9 %"))?;
        Ok(Test { throughput, p50, p99, p999 })
    }
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Reads `99.902% <= 0.359 milliseconds (cumulative count 99910)`.
fn percentile(line: &str) -> Option<(f64, f64)> {
    let (percent, rest) = line.trim().split_once("% <= ")?;
    Some((percent.parse().ok()?, first_number(rest)?))
}
