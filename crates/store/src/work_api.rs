//! Lets failed work be tried again at once: tasks that keep failing, and parked events.

use proto::event::v1::{ExceptionType, RetryWorkRequest, RetryWorkResponse, work_service_server::WorkService};
use proto::texts::Texts as _;
use tonic::{Request, Response, Status};
use types::{Actor, Fault};

use crate::{
    command::{Call, Command},
    context::Context,
    db::Db,
    exception::Exception,
    needs::Needs,
    park::{ParkedEvent, parse_subject, replay},
    rows::Rows,
    task,
};

/// The most subjects of one request.
const MOST: usize = 1_000;

/// Serves the failed work of a database.
#[derive(Debug, Clone)]
pub struct WorkApi {
    db: Db,
}

impl WorkApi {
    /// Serves the failed work of `db`.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Tries work again that exceptions of one type name; returns for how much of it there was anything to do.
    pub async fn retry(&self, exception_type: &str, subjects: &[String]) -> Result<i32, Fault> {
        if subjects.len() > MOST {
            return Err(Fault::invalid("subjects", format!("must be at most {MOST}")));
        }
        let mut retried = 0;
        for subject in subjects {
            let found = match ExceptionType::from_text(exception_type) {
                Some(ExceptionType::TaskFailed) => self.retry_task(subject).await?,
                Some(ExceptionType::ReactionFailed) => self.retry_event(subject).await?,
                _ => return Err(Fault::invalid("type", "must be TASK_FAILED or REACTION_FAILED")),
            };
            retried += i32::from(found);
        }
        Ok(retried)
    }

    async fn retry_task(&self, subject: &str) -> Result<bool, Fault> {
        let (kind, key) =
            subject.split_once(':').ok_or_else(|| Fault::invalid("subjects", format!("{subject:?} is no task")))?;
        let found = task::hasten(&self.db, kind, key).await?;
        if !found {
            let resolve = ResolveGone { exception_type: ExceptionType::TaskFailed, subject: subject.to_owned() };
            self.db.run(self.call(), resolve).await?;
        }
        Ok(found)
    }

    async fn retry_event(&self, subject: &str) -> Result<bool, Fault> {
        let (subscription, event_id) =
            parse_subject(subject).ok_or_else(|| Fault::invalid("subjects", format!("{subject:?} is no event")))?;
        self.db.run(self.call(), ReplayParked { subscription, event_id }).await
    }

    fn call(&self) -> Call {
        Call::new(Actor::service(self.db.source()))
    }
}

/// Schedules the replay of a parked event; replies whether it is parked.
struct ReplayParked {
    subscription: String,
    event_id: String,
}

impl Command for ReplayParked {
    type Reply = bool;
    const NAME: &'static str = "ReplayParkedEvent";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ParkedEvent>(&(self.subscription.clone(), self.event_id.clone()));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let parked = rows.get::<ParkedEvent>(&(self.subscription.clone(), self.event_id.clone()))?;
        let Some(parked) = parked.filter(|parked| parked.apply_time.is_none()) else { return Ok(false) };
        let task = replay(&parked.subscription, &parked.event.0, cx.now());
        cx.schedule(task);
        Ok(true)
    }
}

/// Resolves the exception of work that is not there any more.
struct ResolveGone {
    exception_type: ExceptionType,
    subject: String,
}

impl Command for ResolveGone {
    type Reply = ();
    const NAME: &'static str = "ResolveGoneWork";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let exception = Exception::new(self.exception_type, &self.subject, cx.now().as_micros());
        exception.resolve(cx, "the task is not needed any more");
        Ok(())
    }
}

#[tonic::async_trait]
impl WorkService for WorkApi {
    async fn retry_work(&self, request: Request<RetryWorkRequest>) -> Result<Response<RetryWorkResponse>, Status> {
        let mut request = request.into_inner();
        request.each_text(types::text::normalize);
        let RetryWorkRequest { r#type, subjects } = request;
        match self.retry(&r#type, &subjects).await {
            Ok(retried_count) => Ok(Response::new(RetryWorkResponse { retried_count })),
            Err(fault) => Err(crate::event_api::status(fault)),
        }
    }
}
