//! A small service to test with: stock that is reserved, each reservation a ledger row and an event.

use std::sync::Arc;

use proto::{events::InventoryEvent, inventory::v1::ReservationsChanged};
use store::{Call, Command, Context, Db, Fault, Migration, Needs, NewEvent, Options, Rows};
use types::{ManualClock, Reason, Timestamp};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "stock",
    sql: "CREATE TABLE stock (
              sku TEXT PRIMARY KEY,
              on_hand BIGINT NOT NULL,
              reserved BIGINT NOT NULL,
              note TEXT,
              photo BYTEA NOT NULL,
              version BIGINT NOT NULL,
              CHECK (reserved >= 0 AND reserved <= on_hand)
          );
          CREATE TABLE reservations (
              sku TEXT NOT NULL,
              number BIGINT NOT NULL,
              reference TEXT NOT NULL UNIQUE,
              quantity BIGINT NOT NULL CHECK (quantity > 0),
              version BIGINT NOT NULL,
              PRIMARY KEY (sku, number)
          );",
}];

store::record! {
    /// Stock of one SKU.
    pub(crate) struct Stock in "stock" key (sku: String) {
        on_hand: i64,
        reserved: i64,
        note: Option<String>,
        photo: Vec<u8>,
    }
}

store::record! {
    /// One reservation.
    pub(crate) struct Reservation in "reservations" key (sku: String, number: i64) {
        reference: String,
        quantity: i64,
    }
}

/// Sets how much there is.
pub(crate) struct Receive {
    pub(crate) sku: String,
    pub(crate) quantity: i64,
}

impl Command for Receive {
    type Reply = i64;
    const NAME: &'static str = "Receive";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Stock>(&self.sku);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<i64, Fault> {
        let new = || Stock {
            sku: self.sku.clone(),
            on_hand: 0,
            reserved: 0,
            note: None,
            photo: vec![0, 255, 39, 0],
            version: 0,
        };
        let mut stock = rows.get::<Stock>(&self.sku)?.cloned().unwrap_or_else(new);
        stock.on_hand += self.quantity;
        Ok(rows.put(stock).version)
    }
}

/// Reserves some of it. Returns the reservation's number.
#[derive(Clone)]
pub(crate) struct Reserve {
    pub(crate) sku: String,
    pub(crate) reference: String,
    pub(crate) quantity: i64,
}

impl Reserve {
    #[expect(clippy::needless_pass_by_value, reason = "texts and numbers")]
    pub(crate) fn new(sku: &str, reference: impl ToString, quantity: i64) -> Self {
        Self { sku: sku.to_owned(), reference: reference.to_string(), quantity }
    }
}

impl Command for Reserve {
    type Reply = i64;
    const NAME: &'static str = "Reserve";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Stock>(&self.sku);
        if let Ok(Some(stock)) = rows.get::<Stock>(&self.sku)
            && stock.on_hand > 0
        {
            needs.under::<Reservation>(&self.sku);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<i64, Fault> {
        let mut stock = rows.get::<Stock>(&self.sku)?.cloned().ok_or_else(|| Fault::not_found("stock", &self.sku))?;
        let number = rows.under::<Reservation>(&self.sku)?.last().map_or(0, |last| last.number) + 1;
        rows.put(Reservation {
            sku: self.sku.clone(),
            number,
            reference: self.reference.clone(),
            quantity: self.quantity,
            version: 0,
        });
        stock.reserved += self.quantity;
        let payload = ReservationsChanged { order_id: self.reference.clone(), ..ReservationsChanged::default() };
        let payload = InventoryEvent::InventoryReserved(payload);
        cx.emit(NewEvent::new(payload, &self.sku, stock.version + 1, &self.reference).correlation(&self.reference));
        // Refused late on purpose: what was put and emitted before must not remain.
        if stock.reserved > stock.on_hand {
            return Err(Fault::new(Reason::InsufficientStock, "there is less than that"));
        }
        rows.put(stock);
        Ok(number)
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)))
}

pub(crate) async fn open(options: &Options) -> Db {
    open_at(options, clock()).await
}

pub(crate) async fn open_at(options: &Options, clock: Arc<ManualClock>) -> Db {
    Db::open(options, "stock", MIGRATIONS, clock).await.unwrap()
}

pub(crate) fn call() -> Call {
    Call::new(types::Actor::service("tester"))
}

/// Opens a database with some of one SKU in it.
pub(crate) async fn open_with(options: &Options, on_hand: i64) -> Db {
    let db = open(options).await;
    db.run(call(), Receive { sku: "A".to_owned(), quantity: on_hand }).await.unwrap();
    db
}

/// Reserved according to the counter, the ledger and the log.
pub(crate) async fn reserved(db: &Db) -> (i64, i64, i64) {
    let stock = db.load::<Stock>(&"A".to_owned()).await.unwrap().unwrap();
    let sql = "SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) FROM reservations";
    let ledger = db.rows(sql, Vec::new()).await.unwrap()[0].at(0).unwrap();
    (stock.reserved, ledger, db.head().await.unwrap())
}

/// Changes the database behind the store's back.
pub(crate) async fn tamper(options: &Options, statement: &'static str) {
    assert_eq!(testkit::database::tamper(&options.url, statement).await, 1, "{statement}");
}
