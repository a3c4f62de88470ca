//! After the faults: waits until everything is done; supplies what orders wait for, and has routing retried.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::time::sleep;
use types::{Clock as _, SystemClock};
use waybill::sandbox::people;
use waybill_e2e::number;

use crate::portal::Caller;

const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// After so many checks without a change everything is done or stuck.
const STILL: u32 = 16;
/// After so many checks without a change it is stuck. Longer than the five minutes after which a report is retried.
const STUCK: u32 = 1_400;
/// How often routing is retried before the exception stays open.
const MAX_RETRIES: u32 = 20;

/// Returns when nothing changes any more, with what waits in vain.
pub(crate) async fn settle(caller: &Caller, round: &mut u64) -> anyhow::Result<Vec<String>> {
    let (mut last, mut unchanged, mut asked) = (Value::Null, 0, 0);
    loop {
        let now = json!([
            caller.rest.get("/v1/orders:summary").await?,
            caller.rest.get("/v1/exceptions:summary").await?,
            caller.rest.get("/v1/logs").await?,
        ]);
        if number(&now[0]["units"]["backordered"]) > 0 {
            caller.supply(round).await;
        }
        unchanged = if now == last { unchanged + 1 } else { 0 };
        if unchanged > 0 && unchanged % STILL == 0 {
            if asked < MAX_RETRIES && people::retry_routing(&caller.rest).await? > 0 {
                asked += 1;
                continue;
            }
            let lagging = now[2]["logs"].as_array().into_iter().flatten();
            let lagging = lagging.filter(|log| number(&log["position"]) < number(&log["headPosition"])).count();
            let in_vain = waybill_e2e::waiting_in_vain(&caller.rest, SystemClock.now()).await?;
            // A report whose call failed waits for its retry, and nothing else may change meanwhile.
            let unapplied = caller.rest.list("/v1/messages?states=MESSAGE_STATE_RECEIVED", "messages").await?.len();
            if (in_vain.is_empty() && lagging == 0 && unapplied == 0) || unchanged >= STUCK {
                ensure!(lagging == 0, "operations does not catch up: {}", now[2]);
                return Ok(in_vain);
            }
        }
        last = now;
        sleep(CHECK_INTERVAL).await;
    }
}
