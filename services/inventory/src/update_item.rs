//! Changes an item.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Currency, Fault};

use crate::{
    create_item::tell,
    item::{Item, State},
};

/// Changes of an item; what is absent stays.
pub(crate) struct UpdateItem {
    pub(crate) sku: String,
    /// The etag that was read; any when empty.
    pub(crate) etag: String,
    pub(crate) name: Option<String>,
    pub(crate) pack: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) list_price: Option<(i64, Currency)>,
    pub(crate) state: Option<State>,
}

impl Command for UpdateItem {
    type Reply = wire::Item;
    const NAME: &'static str = "UpdateItem";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Item>(&self.sku);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Item, Fault> {
        let present = rows.get::<Item>(&self.sku)?.ok_or_else(|| Fault::not_found("item", &self.sku))?;
        Fault::check_etag("item", &self.etag, present.version)?;
        let mut item = present.clone();
        let set = |field: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                field.clone_from(value);
            }
        };
        set(&mut item.name, &self.name);
        set(&mut item.pack, &self.pack);
        set(&mut item.category, &self.category);
        if let Some((minor, currency)) = self.list_price {
            (item.list_price_minor, item.list_price_currency) = (Some(minor), Some(currency));
        }
        item.state = self.state.unwrap_or(item.state);
        if item == *present {
            return Ok(crate::wire::item(present));
        }
        item.update_time = cx.now();
        let item = rows.put(item);
        Ok(tell("item.updated", &item, cx))
    }
}
