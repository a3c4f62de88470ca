//! The macro that declares a service's methods.

/// Implements a generated service trait for the type that answers its calls.
///
/// `commands` change something: the request is parsed by `fn(&Request, &Arc<Principal>) -> Result<impl Command, Fault>` and
/// run repeatably under its `request_id`. With `shown by`, the reply passes `fn(Reply, &Principal) -> Result<Reply, Fault>`,
/// which refuses or shortens what the caller does not see; so does an answer that was kept for a repeat.
///
/// `calls` are answered by an inherent method of the same name, `async fn(&self, &CallInfo, Request) -> Result<Reply, Fault>`.
///
/// `streams` are too; the reply is the stream of answers, `Pin<Box<dyn Stream<Item = Result<Message, Status>> + Send>>`.
///
/// ```text
/// chassis::rpc! {
///     OrderService for Rpc {
///         commands {
///             cancel_order(CancelOrderRequest) -> Order = CancelOrder::parse, shown by show;
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
            commands { $($command:ident($asked:ty) -> $done:ty = $parse:expr $(, shown by $show:expr)?;)* }
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
                    let info = ::mesh::call(&request);
                    let reply = $crate::command(self, &info, request.get_ref(), $parse).await;
                    $(let reply = reply.and_then(|reply| $show(reply, &info.principal));)?
                    $crate::answer(reply)
                }
            )*

            $(
                async fn $call(
                    &self,
                    request: ::tonic::Request<$request>,
                ) -> Result<::tonic::Response<$reply>, ::tonic::Status> {
                    let info = ::mesh::call(&request);
                    $crate::answer(<$rpc>::$call(self, &info, request.into_inner()).await)
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
                    let info = ::mesh::call(&request);
                    $crate::answer(<$rpc>::$stream(self, &info, request.into_inner()).await)
                }
            )*)?
        }
    };
}
