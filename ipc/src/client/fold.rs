//! Calls of an entrypoint itself. By one of them a portal folds into a channel: its token is presented there, for a row.

use super::async_call::AsyncCall;
use super::channel::Channel;
use super::portal::Portal;
use super::reference::RowReference;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::wire::control::Token;
use crate::wire::head::RowName;
use crate::wire::system::{ObjectName, SystemCall};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

/// How long an entrypoint may take to answer; then the token is presented again when the portal is used.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call of the entrypoint itself.
fn request(call: SystemCall) -> Result<Box<MsgBuf>, Error> {
    let mut message = Box::new(MsgBuf::new());
    let (opcode, data) = call.encode();
    message.set_method(opcode, 0);
    message.write(&data)?;
    Ok(message)
}

/// The row that the entrypoint answered with.
fn row(channel: &Channel, reply: &mut MsgBuf) -> Result<RowReference, Error> {
    let reference = reply.take(0).and_then(|capability| capability.into_row_of(channel));
    reference.ok_or(Error::Violation("an entrypoint answered a token with no row"))
}

/// Presents the token on the channel, and tells the portal what came of it. Answers what must be woken when the portal is
/// dropped: nobody waits for the answer then.
pub(super) fn present(
    portal: &Weak<Portal>,
    pd: &Pd,
    channel: Arc<Channel>,
    token: Token,
) -> Result<Waker, Error> {
    channel.expect_tasks(true)?;
    let portal = portal.clone();
    let mut call =
        AsyncCall::of_system(channel.clone(), request(SystemCall::Fold(token))?, Deadline::After(PATIENCE));
    let folded = poll_fn(move |context| {
        if portal.strong_count() == 0 {
            return Poll::Ready(());
        }
        let Poll::Ready(answer) = Pin::new(&mut call).poll(context) else { return Poll::Pending };
        let folded = answer.and_then(|mut reply| row(&channel, &mut reply));
        if let Some(portal) = portal.upgrade() {
            portal.conclude(folded);
        }
        Poll::Ready(())
    });
    Ok(pd.watcher()?.run(folded))
}

/// What the entrypoint calls the object.
pub(crate) fn object_name(
    channel: &Arc<Channel>,
    object: RowName,
    deadline: Deadline,
) -> Result<ObjectName, Error> {
    let (send, mut reply) = (request(SystemCall::Name(object))?, Box::new(MsgBuf::new()));
    Channel::call(channel, RowName::SYSTEM, &send, &mut reply, deadline)?;
    ObjectName::decode(reply.data()).ok_or(Error::Violation("an entrypoint answered a name with none"))
}
