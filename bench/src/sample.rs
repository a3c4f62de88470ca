//! Single measurements, and their medians.

use std::time::Duration;

use serde::Serialize;

/// What was measured once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Operations in a second.
    pub(crate) per_second: f64,
    /// Milliseconds that half of the operations took at most.
    pub(crate) p50_ms: Option<f64>,
    /// Milliseconds that 99 of 100 operations took at most.
    pub(crate) p99_ms: Option<f64>,
    /// Milliseconds of processor time for one operation, over all metered processes.
    pub(crate) cpu_ms: Option<f64>,
    /// MiB of memory at the peak.
    pub(crate) peak_mib: Option<f64>,
    /// Calls of 100 that the busy server refused.
    pub(crate) refused_percent: f64,
}

impl Sample {
    /// A rate, of which nothing else is known.
    pub(crate) const fn of_rate(per_second: f64) -> Self {
        Self { per_second, p50_ms: None, p99_ms: None, cpu_ms: None, peak_mib: None, refused_percent: 0.0 }
    }

    /// Calls that took so long each, in `time` all together, and the processor time of all of them.
    pub(crate) fn of_calls(
        mut took: Vec<Duration>,
        time: Duration,
        cpu_ms: Option<f64>,
        peak_mib: Option<f64>,
    ) -> Self {
        took.sort_unstable();
        let millis = |part: usize| {
            let at = took.len().saturating_sub(1) * part / 100;
            took.get(at).map(|took| took.as_secs_f64() * 1_000.0)
        };
        let calls = took.len() as f64;
        Self {
            p50_ms: millis(50),
            p99_ms: millis(99),
            cpu_ms: cpu_ms.filter(|_| calls > 0.0).map(|cpu_ms| cpu_ms / calls),
            peak_mib,
            ..Self::of_rate(calls / time.as_secs_f64())
        }
    }

    /// The median of each value by itself.
    pub(crate) fn median(samples: &[Self]) -> Self {
        let of = |value: fn(&Self) -> Option<f64>| median(samples.iter().filter_map(value));
        Self {
            per_second: of(|sample| Some(sample.per_second)).unwrap_or_default(),
            p50_ms: of(|sample| sample.p50_ms),
            p99_ms: of(|sample| sample.p99_ms),
            cpu_ms: of(|sample| sample.cpu_ms),
            peak_mib: of(|sample| sample.peak_mib),
            refused_percent: of(|sample| Some(sample.refused_percent)).unwrap_or_default(),
        }
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle)?;
    if values.len() % 2 == 1 { Some(*upper) } else { Some((values.get(middle.checked_sub(1)?)? + upper) / 2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let took = (1..=100).rev().map(Duration::from_millis).collect();
        let sample = Sample::of_calls(took, Duration::from_secs(2), Some(50.0), None);
        assert_eq!(sample.per_second, 50.0);
        assert_eq!((sample.p50_ms, sample.p99_ms), (Some(50.0), Some(99.0)));
        assert_eq!(sample.cpu_ms, Some(0.5));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median([4.0, 1.0, 2.0, 9.0].into_iter()), Some(3.0));
        assert_eq!(median([4.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median(std::iter::empty()), None);
    }
}
