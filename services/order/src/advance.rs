//! Loading an order to let it move on, and saving what became of it.

use mesh::Principal;
use proto::order::v1 as wire;
use store::{Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::{hold::Hold, line::Line, order::Order, progress::Progress, tell::tell};

/// Asks for an order with all its lines.
pub(crate) fn needs(order_id: &OrderId, needs: &mut Needs) {
    needs.row::<Order>(order_id);
    needs.under::<Line>(order_id);
}

/// The order with all its lines.
pub(crate) fn load(rows: &Rows, order_id: &OrderId) -> Result<Progress, Fault> {
    let order = rows.get::<Order>(order_id)?.cloned().ok_or_else(|| Fault::not_found("order", order_id))?;
    let lines = rows.under::<Line>(order_id)?.into_iter().cloned().collect();
    Ok(Progress::new(order, lines))
}

/// Saves what changed, and tells it. Answers the order as it was saved.
pub(crate) fn save(mut progress: Progress, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Progress, Fault> {
    let known = rows.get::<Order>(&progress.order.order_id)?;
    let known_lines = rows.under::<Line>(&progress.order.order_id)?;
    let changed: Vec<Line> = progress
        .lines
        .iter()
        .zip(known_lines)
        .filter(|(line, known)| line != known)
        .map(|(line, _)| line.clone())
        .collect();
    if changed.is_empty() && known == Some(&progress.order) {
        return Ok(progress);
    }
    for line in changed {
        let line = rows.put(line);
        if let Ok(at) = progress.lines.binary_search_by_key(&line.line_number, |line| line.line_number)
            && let Some(stale) = progress.lines.get_mut(at)
        {
            *stale = line;
        }
    }
    progress.order.update_time = cx.now();
    progress.order = rows.put(progress.order);
    tell(&progress, rows, cx);
    Ok(progress)
}

/// Asks for an order with all its lines and holds.
pub(crate) fn needs_with_holds(order_id: &OrderId, needs: &mut Needs) {
    self::needs(order_id, needs);
    needs.under::<Hold>(order_id);
}

/// The order as it is for someone who has the etag, sees the account, and asks for `action`.
pub(crate) fn begin(
    rows: &Rows,
    order_id: &OrderId,
    etag: &str,
    caller: &Principal,
    action: &'static str,
) -> Result<Progress, Fault> {
    let progress = load(rows, order_id)?;
    if !caller.sees(&progress.order.account_id) {
        return Err(Fault::not_found("order", order_id));
    }
    Fault::check_etag("order", etag, progress.order.version)?;
    let supported = progress.order.supported_actions(&progress.lines);
    if !supported.contains(&action) {
        let message = format!("{action} is not possible while the order is {}", progress.order.status.as_str());
        return Err(Fault::not_supported(message).fact("supported_actions", supported.join(",")));
    }
    Ok(progress)
}

/// The order as callers see it, after it was saved.
pub(crate) fn answer(rows: &Rows, progress: &Progress) -> Result<wire::Order, Fault> {
    let holds = rows.under::<Hold>(&progress.order.order_id)?;
    Ok(crate::wire::order(&progress.order, progress.lines.iter(), holds))
}
