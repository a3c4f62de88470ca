//! Declares the gRPC methods: commands, and reads.

use chassis::Answers;
use mesh::{
    CallInfo, Principal,
    wire::{Checks, checked, one_id},
};
use prost::Message as _;
use proto::returns::v1::{
    AuthorizeReturnRequest, CancelReturnRequest, CloseReturnRequest, GetReturnRequest, GetReturnableQuantityRequest,
    GetReturnableQuantityResponse, InspectReturnRequest, ListReturnsRequest, ListReturnsResponse, ReceiveReturnRequest,
    RetractReceiptRequest, Return, ReturnQuantity, returns_service_server::ReturnsService,
};
use store::{Column as _, Db};
use types::Fault;

use crate::{
    authorize::AuthorizeReturn,
    end::{CancelReturn, CloseReturn},
    inspect::InspectReturn,
    receive::ReceiveReturn,
    retract_receipt::RetractReceipt,
    rma::ReturnState,
    store as reads, wire,
};

/// Answers the calls of the returns service.
pub(crate) struct Rpc {
    pub(crate) db: Db,
}

impl Answers for Rpc {
    fn db(&self) -> &Db {
        &self.db
    }
}

chassis::rpc! {
    ReturnsService for Rpc {
        commands {
            authorize_return(AuthorizeReturnRequest) -> Return = AuthorizeReturn::parse, shown by show;
            cancel_return(CancelReturnRequest) -> Return = CancelReturn::parse, shown by show;
            receive_return(ReceiveReturnRequest) -> Return = ReceiveReturn::parse, shown by show;
            retract_receipt(RetractReceiptRequest) -> Return = RetractReceipt::parse, shown by show;
            inspect_return(InspectReturnRequest) -> Return = InspectReturn::parse, shown by show;
            close_return(CloseReturnRequest) -> Return = CloseReturn::parse, shown by show;
        }
        calls {
            get_return(GetReturnRequest) -> Return;
            list_returns(ListReturnsRequest) -> ListReturnsResponse;
            get_returnable_quantity(GetReturnableQuantityRequest) -> GetReturnableQuantityResponse;
        }
    }
}

/// A return is shown to callers that see its account, also when the answer was kept for a repeat.
fn show(reply: Return, caller: &Principal) -> Result<Return, Fault> {
    let seen = reply.account_id.parse().is_ok_and(|account_id| caller.sees(&account_id));
    if seen { Ok(reply) } else { Err(Fault::not_found("return", reply.return_id)) }
}

impl Rpc {
    async fn get_return(&self, info: &CallInfo, request: GetReturnRequest) -> Result<Return, Fault> {
        let return_id = one_id("return_id", &request.return_id)?;
        let (rma, lines) = reads::find(&self.db, &return_id, &info.principal).await?;
        Ok(wire::rma(&rma, &lines))
    }

    async fn list_returns(&self, info: &CallInfo, request: ListReturnsRequest) -> Result<ListReturnsResponse, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.optional_id("order_id", &request.order_id);
        let account_id = checks.optional_id("account_id", &request.account_id);
        let states = checks.choices("states", &request.states, ReturnState::from_contract);
        checks.done()?;
        let (order_id, account_id, states) = (checked(order_id)?, checked(account_id)?, checked(states)?);
        let filter = reads::Filter { order_id, account_id, states };
        let page = reads::page(&filter, &info.principal, request.page_size, &request.page_token)?;
        let (returns, next_page_token) = reads::list(&self.db, &filter, &info.principal, &page).await?;
        let mut returns: Vec<_> = returns.iter().map(|(rma, lines)| wire::rma(rma, lines)).collect();
        let key = |rma: &Return| vec![rma.return_id.clone().to_value()];
        let next_page_token = page.cut(&mut returns, next_page_token, Return::encoded_len, key);
        Ok(ListReturnsResponse { returns, next_page_token })
    }

    async fn get_returnable_quantity(
        &self,
        info: &CallInfo,
        request: GetReturnableQuantityRequest,
    ) -> Result<GetReturnableQuantityResponse, Fault> {
        let order_id = one_id("order_id", &request.order_id)?;
        let lines = reads::returnable(&self.db, &order_id, &info.principal).await?;
        let quantity = |(line_number, quantity)| ReturnQuantity { line_number: wire::number(line_number), quantity };
        Ok(GetReturnableQuantityResponse { lines: lines.into_iter().map(quantity).collect() })
    }
}
