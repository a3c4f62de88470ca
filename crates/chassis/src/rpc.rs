//! The macro that declares a service's methods.

/// Implements a generated service trait for the type that answers its calls.
///
/// `commands` change something: the request is parsed by `fn(&Request, &Arc<Principal>) -> Result<impl Command, Fault>` and
/// run repeatably under its `request_id`. With `seen by`, `async fn(&self, field: &str, &Principal) -> Result<(), Fault>` refuses a
/// caller limited to some accounts before the command when it does not see what the field of the request names, also when
/// an answer was kept; the account of a row never changes. With `shown by`, the reply passes `fn(Reply, &Principal) -> Result<Reply, Fault>`,
/// which refuses or shortens what the caller does not see; so does an answer that was kept for a repeat.
///
/// `calls` are answered by an inherent method of the same name, `async fn(&self, &CallInfo, Request) -> Result<Reply, Fault>`.
///
/// `streams` are too; the reply is the stream of answers, `Pin<Box<dyn Stream<Item = Result<Message, Status>> + Send>>`.
///
/// Every text of a request is in its one form before anything reads it ([`types::text`]): without blanks at its ends, and in
/// NFC. A blank filter, etag or page token is refused.
///
/// Whatever the answer, the fields that the contract hides from the caller (`hidden_from`) are empty in it.
///
/// ```text
/// chassis::rpc! {
///     OrderService for Rpc {
///         commands {
///             cancel_order(CancelOrderRequest) -> Order = CancelOrder::parse, shown by show;
///             retry_order(RetryOrderRequest) -> Order = RetryOrder::parse, seen by check_order of order_id;
///         }
///         calls {
///             get_order(GetOrderRequest) -> Order;
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! rpc {
    (
        $service:ident for $rpc:ty {
            commands { $($command:ident($asked:ty) -> $done:ty = $parse:expr
                $(, seen by $check:ident of $named:ident)? $(, shown by $show:expr)?;)* }
            calls { $($call:ident($request:ty) -> $reply:ty;)* }
            $(streams { $($stream:ident($start:ty) -> $stream_type:ident of $item:ty;)* })?
        }
    ) => {
        #[::tonic::async_trait]
        impl $service for $rpc {
            $(
                async fn $command(
                    &self,
                    request: ::tonic::Request<$asked>,
                ) -> Result<::tonic::Response<$done>, ::tonic::Status> {
                    let request = match $crate::normal(request) {
                        Ok(request) => request,
                        Err(fault) => return $crate::answer(Err(fault)),
                    };
                    let info = ::mesh::call(&request);
                    $(if !info.principal.sees_all()
                        && let Err(fault) = <$rpc>::$check(self, &request.get_ref().$named, &info.principal).await
                    {
                        return $crate::answer(Err(fault));
                    })?
                    let reply = $crate::command(self, &info, request.get_ref(), $parse).await;
                    $(let reply = reply.and_then(|reply| $show(reply, &info.principal));)?
                    $crate::answer(reply.map(|reply| $crate::shown(reply, &info.principal)))
                }
            )*

            $(
                async fn $call(
                    &self,
                    request: ::tonic::Request<$request>,
                ) -> Result<::tonic::Response<$reply>, ::tonic::Status> {
                    let request = match $crate::normal(request) {
                        Ok(request) => request,
                        Err(fault) => return $crate::answer(Err(fault)),
                    };
                    let info = ::mesh::call(&request);
                    let reply = <$rpc>::$call(self, &info, request.into_inner()).await;
                    $crate::answer(reply.map(|reply| $crate::shown(reply, &info.principal)))
                }
            )*

            $($(
                type $stream_type = ::std::pin::Pin<
                    Box<dyn ::futures::Stream<Item = Result<$item, ::tonic::Status>> + Send>,
                >;

                async fn $stream(
                    &self,
                    request: ::tonic::Request<$start>,
                ) -> Result<::tonic::Response<Self::$stream_type>, ::tonic::Status> {
                    let request = match $crate::normal(request) {
                        Ok(request) => request,
                        Err(fault) => return $crate::answer(Err(fault)),
                    };
                    let info = ::mesh::call(&request);
                    let stream = <$rpc>::$stream(self, &info, request.into_inner()).await;
                    $crate::answer(stream.map(|stream| $crate::shown_each(stream, info.principal.clone())))
                }
            )*)?
        }
    };
}
