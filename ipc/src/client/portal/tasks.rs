//! Waiting for a portal: tasks, which are woken when it has changed.

use super::{Portal, State};
use crate::protocol::line::Place;
use std::sync::Weak;
use std::task::Waker;

/// A task's place among those that wait for a portal. Dropped, it is given up: the task may be gone before the portal comes to
/// anything, which whoever made it can prevent.
pub(crate) struct InLine {
    portal: Weak<Portal>,
    place: Place,
}

impl Drop for InLine {
    fn drop(&mut self) {
        let Some(portal) = self.portal.upgrade() else { return };
        let waker = portal.state().tasks.leave(self.place);
        drop(waker);
    }
}

impl Portal {
    /// As [`settle`](Self::settle), for a task: answers whether it has to wait.
    pub(in crate::client) fn wait_to_settle(&self, in_line: &mut Option<InLine>, waker: &Waker) -> bool {
        self.must_wait(in_line, waker, false)
    }

    /// As [`wait`](Self::wait) for its ticket alone, for a task: answers whether it has to wait.
    pub(crate) fn wait_for_ticket(&self, in_line: &mut Option<InLine>, waker: &Waker) -> bool {
        {
            let mut state = self.state();
            self.go_on(&mut state);
            if !state.is_expected() {
                self.tell(state);
                return false;
            }
        }
        self.must_wait(in_line, waker, true)
    }

    fn must_wait(&self, in_line: &mut Option<InLine>, waker: &Waker, for_ticket: bool) -> bool {
        let waits = |state: &State| if for_ticket { state.is_expected() } else { state.is_under_way() };
        self.awaited(for_ticket).is_some() && self.line_up(in_line, waker, waits)
    }

    /// Has the task woken when something changes, if it waits for that; answers whether it does.
    pub(super) fn line_up(
        &self,
        in_line: &mut Option<InLine>,
        waker: &Waker,
        waits: impl FnOnce(&State) -> bool,
    ) -> bool {
        let waker = waker.clone();
        let mut state = self.state();
        if !waits(&state) {
            return false;
        }
        let (place, _) = state.tasks.enter(None, waker);
        drop(state);
        // The place that it had goes, here or in the line of another portal, and with it the waker that it had.
        *in_line = Some(InLine { portal: self.this.clone(), place });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::client::async_call::AsyncCall;
    use crate::client::channel::Channel;
    use crate::client::portal::Origin;
    use crate::deadline::Deadline;
    use crate::error::Error;
    use crate::message::MsgBuf;
    use crate::pd::Pd;
    use crate::pd::peer_descriptor::PeerDescriptor;
    use crate::sys::socket;
    use crate::transport::socket::SocketTransport;
    use crate::wire::head::RowName;
    use crate::wire::slot::Group;
    use std::future::Future;
    use std::os::fd::OwnedFd;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake};
    use std::time::{Duration, Instant};

    /// Whether it was woken.
    #[derive(Default)]
    struct Task(AtomicBool);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    const ORIGIN: Origin = Origin { introducer: 1, group: Group(1 << 16) };

    /// A portal that nobody takes up, and its other end.
    fn portal(pd: &Pd) -> (Capability, OwnedFd) {
        let (ours, theirs) = socket::pair().unwrap();
        (Capability::from_portal(pd, PeerDescriptor::new(pd, ours), Some(ORIGIN)), theirs)
    }

    fn channel(pd: &Pd) -> (Arc<Channel>, OwnedFd) {
        let (ours, theirs) = socket::pair().unwrap();
        let transport = SocketTransport::new(pd.clone(), Arc::new(PeerDescriptor::new(pd, ours)));
        (Channel::connect(pd, &Arc::new(transport), Group::next(), None).unwrap(), theirs)
    }

    /// Tasks that each call, wait for a portal, and give up.
    fn assert_nobody_stays(call: impl Fn() -> AsyncCall) {
        let gone: Vec<Weak<Task>> = (0..100)
            .map(|_| {
                let task = Arc::new(Task::default());
                let (gone, waker) = (Arc::downgrade(&task), Waker::from(task));
                let mut call = pin!(call());
                for _ in 0..2 {
                    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                }
                gone
            })
            .collect();
        let held = gone.iter().filter(|task| task.strong_count() != 0).count();
        assert_eq!(held, 0, "tasks that are gone are held");
    }

    #[test]
    fn a_portal_that_is_not_taken_up_keeps_no_task_that_has_given_up() {
        let pd = Pd::new().unwrap();
        let (capability, _theirs) = portal(&pd);
        assert_nobody_stays(|| capability.call_async_with(Box::default(), Deadline::Never));
    }

    #[test]
    fn a_portal_that_is_an_argument_keeps_no_task_that_has_given_up() {
        let pd = Pd::new().unwrap();
        let (channel, _server) = channel(&pd);
        assert!(pd.groups().insert(ORIGIN, &channel));
        let (argument, _theirs) = portal(&pd);
        let callee = Capability::granted(channel, RowName::FIRST);
        assert_nobody_stays(|| {
            let mut message = Box::new(MsgBuf::new());
            message.push(argument.clone()).unwrap();
            callee.call_async_with(message, Deadline::Never)
        });
    }

    #[test]
    fn a_task_that_stays_in_line_is_woken_by_its_last_waker() {
        let pd = Pd::new().unwrap();
        let (capability, theirs) = portal(&pd);
        let [goes, first, last] = [(); 3].map(|()| Arc::new(Task::default()));
        let poll = |call: &mut AsyncCall, task: &Arc<Task>| {
            Pin::new(call).poll(&mut Context::from_waker(&task.clone().into())).map_ok(drop)
        };
        let [mut stays, mut other] =
            [(); 2].map(|()| capability.call_async_with(Box::default(), Deadline::Never));
        for (call, task) in [(&mut stays, &first), (&mut other, &goes)] {
            assert!(poll(call, task).is_pending());
        }
        assert!(poll(&mut stays, &last).is_pending());
        drop(other);
        drop(theirs);
        let end = Instant::now() + Duration::from_secs(30);
        while !last.0.load(Ordering::Relaxed) && Instant::now() < end {
            std::thread::yield_now();
        }
        let was_woken = |task: Arc<Task>| task.0.load(Ordering::Relaxed);
        assert_eq!([goes, first, last.clone()].map(was_woken), [false, false, true]);
        assert_eq!(poll(&mut stays, &last), Poll::Ready(Err(Error::Disconnected)));
    }
}
