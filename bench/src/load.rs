//! Generates load: callers that call again as soon as they are answered.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use futures::future::try_join_all;

use crate::{client::retry_after, sample::Sample, usage::Meter};

/// How long callers call before the measurement begins, but no longer than it takes: caches are filled.
const WARM_UP: Duration = Duration::from_millis(250);

/// The load of one measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// How many call at the same time.
    pub(crate) callers: usize,
    /// How long it is measured.
    pub(crate) time: Duration,
}

impl Load {
    /// Lets each caller call until the time is over, and measures. `callers` are the clients, one for each caller; `call`
    /// gets the client and the number of its call. A call that a busy server refuses is counted and made again later.
    pub(crate) async fn run<C>(
        self,
        meter: &Meter,
        callers: Vec<C>,
        call: impl AsyncFn(&mut C, u64) -> anyhow::Result<()>,
    ) -> anyhow::Result<Sample> {
        let begin = Instant::now() + WARM_UP.min(self.time);
        let (counting, over, refused) = (Cell::new(false), Cell::new(false), Cell::new(0_u32));
        let took = RefCell::new(Vec::new());
        let clock = async {
            tokio::time::sleep_until(begin.into()).await;
            let before = meter.cpu_ms();
            counting.set(true);
            tokio::time::sleep_until((begin + self.time).into()).await;
            // A very slow machine finishes at least one call.
            while took.borrow().is_empty() && !over.get() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            over.set(true);
            anyhow::Ok((begin.elapsed(), before.zip(meter.cpu_ms())))
        };
        let (call, counting, over, refused, took) = (&call, &counting, &over, &refused, &took);
        let calling = callers.into_iter().map(|mut caller| async move {
            for number in 0.. {
                let called = Instant::now();
                let answer = call(&mut caller, number).await;
                if over.get() {
                    break;
                }
                match answer {
                    Ok(()) if counting.get() => took.borrow_mut().push(called.elapsed()),
                    Ok(()) => {}
                    Err(error) => {
                        let pause = retry_after(&error).ok_or(error)?;
                        refused.set(refused.get() + u32::from(counting.get()));
                        tokio::time::sleep(pause).await;
                    }
                }
            }
            anyhow::Ok(())
        });
        let ((time, cpu_ms), _) = futures::try_join!(clock, try_join_all(calling))?;
        let cpu_ms = cpu_ms.map(|(before, after)| after - before);
        let (took, refused) = (took.take(), f64::from(refused.get()));
        let refused_percent = 100.0 * refused / (refused + took.len() as f64);
        Ok(Sample { refused_percent, ..Sample::of_calls(took, time, cpu_ms, meter.peak_mib()) })
    }
}
