//! No post is left in the queue: the server takes it, or the last sweep does, or its poster.
//!
//! Depends on: the fences in `closed_meanwhile`, `lower` and `close`, and on the place of the first, between the post
//! and the flag.

use super::kernel::Bell;
use super::{bounded_model, model};
use crate::protocol::posts::{announce, close, closed_meanwhile, lower, raise, wanted};
use crate::sync::{AtomicBool, Ordering};
use loom::sync::Arc;
use loom::thread;

/// A home whose queue has a place for each poster.
#[derive(Default)]
struct Home {
    attention: AtomicBool,
    closed: AtomicBool,
    queue: [AtomicBool; 2],
    bell: Bell,
}

impl Home {
    /// As `Home::post`.
    fn post(&self, poster: usize) {
        self.queue[poster].store(true, Ordering::Release);
        if announce(&self.attention, &self.closed) {
            self.sweep();
        } else {
            self.bell.ring();
        }
    }

    /// As `Home::next_post`.
    fn next_post(&self) -> bool {
        lower(&self.attention);
        let found = self.pop();
        if found {
            raise(&self.attention);
        }
        found
    }

    /// Like the real queue, it looks first and exchanges only what it saw: the exchange alone would see the latest.
    fn pop(&self) -> bool {
        self.queue.iter().any(|post| post.load(Ordering::Acquire) && post.swap(false, Ordering::Acquire))
    }

    fn sweep(&self) {
        while self.pop() {}
    }
}

fn posters(home: &Arc<Home>, count: usize) -> Vec<thread::JoinHandle<()>> {
    (0..count)
        .map(|poster| {
            let home = home.clone();
            thread::spawn(move || home.post(poster))
        })
        .collect()
}

/// Each post wakes the server once more at most, so that a server that missed one sleeps for ever.
fn serve(home: &Home, posts: usize) {
    let mut taken = 0;
    while taken < posts {
        if wanted(&home.attention) {
            while home.next_post() {
                taken += 1;
            }
        } else {
            home.bell.sleep();
        }
    }
}

#[test]
fn one_post() {
    model(|| {
        let home = Arc::new(Home::default());
        let posters = posters(&home, 1);
        serve(&home, 1);
        posters.into_iter().for_each(|poster| poster.join().unwrap());
    });
}

#[test]
fn two_posts() {
    bounded_model(3, || {
        let home = Arc::new(Home::default());
        let posters = posters(&home, 2);
        serve(&home, 2);
        posters.into_iter().for_each(|poster| poster.join().unwrap());
    });
}

#[test]
fn post_while_the_server_ends() {
    model(|| {
        let home = Arc::new(Home::default());
        let posters = posters(&home, 1);
        close(&home.closed);
        home.sweep();
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        assert!(!home.queue[0].load(Ordering::Relaxed), "somebody swept it");
    });
}

/// As `Home::make_local_channel` and `Home::close`: one of the two hangs up.
#[test]
fn first_local_call_while_the_server_ends() {
    model(|| {
        let home = Arc::new(Home::default());
        let made = Arc::new(AtomicBool::new(false));
        let caller = {
            let (home, made) = (home.clone(), made.clone());
            thread::spawn(move || {
                made.store(true, Ordering::Release);
                closed_meanwhile(&home.closed)
            })
        };
        close(&home.closed);
        let found = made.load(Ordering::Acquire);
        assert!(caller.join().unwrap() || found, "nobody hung up");
    });
}
