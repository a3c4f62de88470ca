//! The main job on real input: a trading company's 830 orders, from the portal to proof of delivery, and four more that are split,
//! changed and made to wait.
//!
//! Everything goes over the gateway's REST API, as a portal, a partner or a person would call it. Every call may be
//! repeated, so a demo that was killed continues when it is started again on the same directory.

pub mod load;
pub mod portal;
mod stories;
mod summary;
pub mod watch;

use std::time::Instant;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    northwind::{self, Northwind},
    rest::Rest,
    sandbox::{Chances, Sandbox},
};

/// Options of the demo.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// Seed of all random choices.
    #[arg(long, default_value_t = 7, env = "WAYBILL_DEMO_SEED")]
    pub seed: u64,
    /// How many of the 830 orders to submit.
    #[arg(long, default_value_t = 830, env = "WAYBILL_DEMO_ORDERS", value_parser = clap::value_parser!(u64).range(1..=830))]
    pub orders: u64,
    /// Stock for every order, nothing short, no mishaps, no cancellations: every line is delivered.
    #[arg(long, env = "WAYBILL_DEMO_AMPLE")]
    pub ample: bool,
    /// Stay up afterwards and print the addresses.
    #[arg(long, env = "WAYBILL_DEMO_KEEP")]
    pub keep: bool,
}

/// The outcome of a demo.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What may be invoiced, in cents.
    pub invoice_ready_minor: i64,
    /// Orders by derived status.
    pub statuses: Vec<(String, i64)>,
    /// Units by counter, each summed over all lines.
    pub units: Vec<(String, i64)>,
}

/// Runs the demo against a gateway and prints as it goes.
pub async fn run(rest: &Rest, options: &Options) -> anyhow::Result<Outcome> {
    let data = northwind::load().context("reading the data set")?;
    let orders = &data.orders[..usize::try_from(options.orders)?.min(data.orders.len())];
    let chances = if options.ample { Chances::NONE } else { Chances::USUAL };

    let bar = progress(orders.len());
    bar.set_message("loading the company");
    load::company(rest, &data, orders, options.ample).await.context("loading the company")?;

    let begun = Instant::now();
    let sandbox = Sandbox::new(rest.clone(), options.seed, chances);
    // Play until the process ends, which is soon after the demo: nothing they do has to be finished.
    let partners = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { sandbox.play().await }
    });
    let watched = async {
        portal::submit(rest, &data, orders, &bar, options).await.context("submitting the orders")?;
        let submitted = begun.elapsed();
        let settled = watch::until_settled(rest, &data, &sandbox, &bar).await.context("watching the orders")?;
        anyhow::Ok((submitted, settled.duration_since(begun)))
    };
    let (submitted, delivered) = tokio::select! {
        times = watched => times?,
        ended = partners => { ended?.context("playing the partners")?; anyhow::bail!("the partners stopped") }
    };
    bar.finish_and_clear();
    if !options.ample {
        stories::tell(rest).await?;
        watch::until_settled(rest, &data, &sandbox, &hidden_bar()).await.context("watching the last orders")?;
    }
    let timing = summary::Timing { submitted, delivered, reports: sandbox.sent() };
    summary::print(rest, orders.len(), &timing).await.context("summing up")
}

/// A hidden progress bar.
pub fn hidden_bar() -> ProgressBar {
    ProgressBar::hidden()
}

fn progress(orders: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(orders).unwrap_or(0));
    let style = ProgressStyle::with_template("{msg:34} {wide_bar} {pos:>4}/{len} orders, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Units of each item that the orders ask for.
fn demand(data: &Northwind, orders: &[northwind::Order]) -> Vec<(String, i64)> {
    let asked = |sku: &String| {
        let lines = orders.iter().flat_map(|order| &order.lines).filter(|line| line.sku == *sku);
        lines.map(|line| line.quantity).sum()
    };
    data.items.iter().map(|item| (item.sku.clone(), asked(&item.sku))).collect()
}

/// The customer's PO number.
fn customer_po(order: &northwind::Order) -> String {
    format!("NW-{}", order.number)
}
