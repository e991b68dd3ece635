//! An honest client who calls all the while, and notes whether anybody disturbs it.

use crate::villain::service::ECHO;
use portcullis_ipc::{Capability, MsgBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How the bystander's calls went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Calls that were answered rightly.
    pub calls: u64,
    /// Calls that failed or were answered wrongly.
    pub errors: u64,
    /// The longest of all calls.
    pub slowest: Duration,
    /// What the first failure said.
    pub first_error: String,
}

impl Report {
    /// As the data of a message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let slowest = u64::try_from(self.slowest.as_nanos()).unwrap_or(u64::MAX);
        let numbers = [self.calls, self.errors, slowest];
        let text = self.first_error.bytes().take(512);
        numbers.into_iter().flat_map(u64::to_le_bytes).chain(text).collect()
    }

    /// Out of the data of a message.
    #[must_use]
    pub fn decode(data: &[u8]) -> Report {
        let (numbers, text) = data.split_at(24);
        let mut numbers = numbers.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        let mut number = || numbers.next().unwrap_or_default();
        Report {
            calls: number(),
            errors: number(),
            slowest: Duration::from_nanos(number()),
            first_error: String::from_utf8_lossy(text).into_owned(),
        }
    }
}

/// A thread that calls; it ends when this is dropped.
#[derive(Debug)]
pub struct Bystander {
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    report: Report,
    stop: bool,
}

impl Bystander {
    /// Starts to call the capability, whose object must answer [`ECHO`].
    #[must_use]
    pub fn start(capability: Capability) -> Bystander {
        let shared = Arc::<Mutex<Shared>>::default();
        let of_thread = shared.clone();
        let thread = std::thread::spawn(move || walk(&capability, &of_thread));
        Bystander { shared, thread: Some(thread) }
    }

    /// How it went so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).report.clone()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn walk(capability: &Capability, shared: &Mutex<Shared>) {
    const CALLS_BETWEEN_RESTS: u64 = 64;
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    for number in 0_u64.. {
        send.clear();
        send.set_method(ECHO, 0);
        let pattern = [number.to_le_bytes(); 128];
        let length = usize::try_from(number * 7 % 1025).unwrap_or_default();
        let started = Instant::now();
        let result = send.write(&pattern.as_flattened()[..length]);
        let result = result.and_then(|()| capability.call(&send, &mut receive));
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let report = &mut shared.report;
        report.slowest = report.slowest.max(started.elapsed());
        let failure = match result {
            Ok(()) if receive.data() == send.data() => None,
            Ok(()) => Some("a wrong echo".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        match failure {
            None => report.calls += 1,
            Some(failure) => {
                report.errors += 1;
                if report.first_error.is_empty() {
                    report.first_error = failure;
                }
            }
        }
        if shared.stop {
            return;
        }
        drop(shared);
        if number % CALLS_BETWEEN_RESTS == 0 {
            // Long enough for its server to fall asleep, so that wakes are part of what may be disturbed.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
