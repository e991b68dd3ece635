use super::*;
use crate::pd::Pd;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::task::Poll;

/// Says that it was woken, or that somebody is gone.
struct Says(Sender<()>);

impl Wake for Says {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

impl HangUp for Says {
    fn hang_up(&self) {
        let _ = self.0.send(());
    }
}

#[test]
fn what_wakes_itself_whenever_it_runs_costs_nobody_else_his_turn() {
    const PATIENCE: Duration = Duration::from_secs(30);
    let pd = Pd::new().unwrap();
    let watcher = pd.watcher().unwrap();
    let (is_over, running) = (Arc::new(AtomicBool::new(false)), mpsc::sync_channel(1));
    let of_task = is_over.clone();
    let restless = watcher.run(poll_fn(move |context| {
        let _ = running.0.try_send(());
        if of_task.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }));
    let runs = running.1.recv_timeout(PATIENCE);
    let (woken, dead) = (mpsc::channel(), mpsc::channel());
    let alarm = watcher.alarm(Instant::now(), &Waker::from(Arc::new(Says(woken.0))));
    let rings = woken.1.recv_timeout(PATIENCE);
    let (ours, theirs) = socket::pair().unwrap();
    let who = Arc::new(Says(dead.0));
    let of_watch = Arc::<Says>::downgrade(&who) as Weak<dyn HangUp>;
    let watch = watcher.watch(Arc::new(PeerDescriptor::new(&pd, ours)), of_watch).unwrap();
    drop(theirs);
    let hears = dead.1.recv_timeout(PATIENCE);
    is_over.store(true, Ordering::Relaxed);
    assert_eq!((runs, rings, hears), (Ok(()), Ok(()), Ok(())));
    drop((restless, alarm, watch));
}
