//! Calls that tasks wait for.

use crate::answer::{Answer, Fallible};
use crate::client::{Client, Way, prepare};
use crate::error::Error;
use crate::interface::Interface;
use crate::trace;
use portcullis_ipc::{AsyncCall, MsgBuf};
use serde::Serialize;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A call as a future of its result: what the asynchronous twins of an interface's methods return.
///
/// The arguments were encoded when the method was called, so that nothing is borrowed; nothing is sent until the future
/// is first polled. It depends on no executor and no runtime, whatever its deadline, and can be moved to another task or
/// thread. Dropped before it is done, it cancels the call, which may or may not have its effect then.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_rpc::{Calling, Capability, Error, rpc_interface, serve};
/// # use portcullis_ipc::{Deadline, MsgBuf, Pd, Server};
/// use std::{future::Future, pin::pin, sync::Arc, task, thread};
///
/// #[rpc_interface]
/// trait Log {
///     fn write(&mut self, line: &str) -> Result<usize, Error>;
/// }
/// # struct Sink;
/// # impl Log for Sink {
/// #     fn write(&mut self, line: &str) -> Result<usize, Error> {
/// #         Ok(line.len())
/// #     }
/// # }
///
/// /// An executor: the thread sleeps until the task is woken.
/// struct Unpark(thread::Thread);
/// impl task::Wake for Unpark {
///     fn wake(self: Arc<Self>) {
///         self.0.unpark();
///     }
/// }
/// fn block_on<F: Future>(future: F) -> F::Output {
///     let (mut future, waker) = (pin!(future), Arc::new(Unpark(thread::current())).into());
///     loop {
///         match future.as_mut().poll(&mut task::Context::from_waker(&waker)) {
///             task::Poll::Ready(output) => return output,
///             task::Poll::Pending => thread::park(),
///         }
///     }
/// }
///
/// # let (to_main, from_server) = std::sync::mpsc::channel();
/// # thread::spawn(move || -> Result<(), portcullis_ipc::Error> {
/// #     let mut server = Server::new(&Pd::new()?)?;
/// #     let _ = to_main.send(server.capability());
/// #     let (mut request, mut reply) = (MsgBuf::new(), MsgBuf::new());
/// #     loop {
/// #         let caller = server.wait(&mut request, Deadline::Never)?.caller;
/// #         match serve::<dyn Log, _>(&mut Sink, &mut request, &mut reply) {
/// #             Ok(_) => server.reply(caller, &reply)?,
/// #             Err(refusal) => server.refuse(caller, refusal)?,
/// #         }
/// #     }
/// # });
/// # let log: Capability<dyn Log> = Capability::from_untyped(from_server.recv()?);
/// let client = log.client();
/// let calls: [Calling<Result<usize, Error>>; 2] =
///     [client.write_async("hello"), client.write_async("world!")];
/// let [hello, world] = calls;
/// assert_eq!(block_on(async { (hello.await, world.await) }), (Ok(5), Ok(6)));
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent until it is polled"]
pub struct Calling<R> {
    /// Or why it cannot be made; `None` once it is done.
    call: Option<Result<AsyncCall, Error>>,
    traced: Option<trace::Call>,
    receive: fn(&mut MsgBuf) -> Result<R, Error>,
    failed: fn(Error) -> R,
}

/// A task waits. The arguments are encoded at once.
#[derive(Debug)]
pub enum ByTask {}

impl Way for ByTask {
    type Output<R> = Calling<R>;

    fn call<I, A, R, S>(client: &Client<I>, opcode: usize, arguments: &A) -> Calling<R>
    where
        I: ?Sized + Interface,
        A: Serialize,
        R: Answer<S> + Fallible,
    {
        let traced = Some(trace::Call::of::<I>(opcode));
        let mut message = Box::new(MsgBuf::new());
        let prepared = prepare::<I, _>(opcode, arguments, &mut message);
        let call = prepared.map(|()| {
            let untyped = client.capability().untyped();
            match client.deadline() {
                None => untyped.call_async(message),
                Some(deadline) => untyped.call_async_with(message, deadline),
            }
        });
        Calling { call: Some(call), traced, receive: R::receive, failed: R::failed }
    }
}

impl<R> Future for Calling<R> {
    type Output = R;

    /// Never blocks.
    ///
    /// # Panics
    /// If it is polled after it was done.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = self.get_mut();
        let result = match this.call.as_mut().expect("no call is polled after it was done") {
            Err(error) => Err(error.clone()),
            Ok(call) => match Pin::new(call).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(answer) => {
                    answer.map_err(Error::from).and_then(|mut message| (this.receive)(&mut message))
                }
            },
        };
        this.call = None;
        if let Some(traced) = this.traced.take() {
            traced.returned(result.as_ref().err());
        }
        Poll::Ready(result.unwrap_or_else(this.failed))
    }
}

impl<R> fmt::Debug for Calling<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calling").field(&self.call).finish()
    }
}
