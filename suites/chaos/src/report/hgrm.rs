//! Latencies as `.hgrm`: the percentile distribution that HdrHistogram's plotter and other tools read.

use std::io::{self, Write};

use hdrhistogram::Histogram;

use super::timeline;
use crate::run::Run;

/// Steps per halving of the distance to 100 %, as HdrHistogram's own tools take.
const TICKS: u32 = 5;

/// Writes the latencies of a run, in milliseconds.
///
/// # Errors
/// As the writer.
pub fn write(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    distribution(out, &timeline::latencies(run))
}

/// As `outputPercentileDistribution` of the Java implementation, which scales values to milliseconds.
fn distribution(out: &mut dyn Write, latencies: &Histogram<u64>) -> io::Result<()> {
    let ms = |microseconds: f64| microseconds / 1000.0;
    writeln!(
        out,
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
    )?;
    for step in latencies.iter_quantiles(TICKS) {
        let (value, quantile) = (ms(step.value_iterated_to() as f64), step.quantile());
        let count = latencies.count_between(0, step.value_iterated_to());
        match quantile < 1.0 {
            true => writeln!(
                out,
                "{value:12.3} {quantile:2.12} {count:10} {:14.2}",
                1.0 / (1.0 - quantile)
            )?,
            false => writeln!(out, "{value:12.3} {quantile:2.12} {count:10}")?,
        }
    }
    writeln!(
        out,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        ms(latencies.mean()),
        ms(latencies.stdev())
    )?;
    writeln!(
        out,
        "#[Max     = {:12.3}, Total count    = {:12}]",
        ms(latencies.max() as f64),
        latencies.len()
    )?;
    writeln!(
        out,
        "#[Buckets = {:12}, SubBuckets     = {:12}]",
        latencies.buckets(),
        latencies.distinct_values() / usize::from(latencies.buckets()).max(1)
    )?;
    out.flush()
}
