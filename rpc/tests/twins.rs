//! The asynchronous twins of an interface's methods, in one process: by an executor of a few lines, and under tokio.

mod support;

use portcullis_rpc::{Calling, Capability, Client, Deadline, Error, Later, Reply, rpc_interface};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use support::host;

#[rpc_interface]
trait Named {
    /// What it is called.
    fn name(&self) -> Result<String, Error>;
}

/// A mailbox and its sender.
type Opened = (Capability<dyn Mailbox>, Option<Capability<dyn Named>>);

#[rpc_interface]
trait Mailbox: Named {
    /// Puts a letter into it.
    fn put(&mut self, letter: &str, seal: &[u8]) -> Result<usize, Error>;
    /// The next letter, when there is one.
    fn next(&mut self) -> Later<Result<String, Error>>;
    /// Readers that wait.
    fn readers(&self) -> Result<usize, Error>;
    /// A mailbox of that name, and the sender again.
    fn open(&mut self, name: String, sender: Option<Capability<dyn Named>>) -> Result<Opened, Error>;
    /// Panics.
    fn r#break(&mut self) -> Result<(), Error>;
}

struct Wall {
    name: String,
    readers: Vec<Reply<Result<String, Error>>>,
}

impl Wall {
    fn new(name: &str) -> Wall {
        Wall { name: name.into(), readers: Vec::new() }
    }
}

impl Named for Wall {
    fn name(&self) -> Result<String, Error> {
        Ok(self.name.clone())
    }
}

impl Mailbox for Wall {
    fn put(&mut self, letter: &str, seal: &[u8]) -> Result<usize, Error> {
        for reader in self.readers.drain(..) {
            reader.answer(Ok(letter.into()));
        }
        Ok(letter.len() + seal.len())
    }

    fn next(&mut self) -> Later<Result<String, Error>> {
        let (later, reply) = Later::new();
        self.readers.push(reply);
        later
    }

    fn readers(&self) -> Result<usize, Error> {
        Ok(self.readers.len())
    }

    fn open(&mut self, name: String, sender: Option<Capability<dyn Named>>) -> Result<Opened, Error> {
        Ok((host::<dyn Mailbox, _>(move || Wall::new(&name)), sender))
    }

    fn r#break(&mut self) -> Result<(), Error> {
        panic!("broken")
    }
}

fn mailbox(name: &'static str) -> Client<dyn Mailbox> {
    host::<dyn Mailbox, _>(move || Wall::new(name)).client()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unpark(std::thread::current()))));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn poll_once<R>(call: &mut Calling<R>) -> Poll<R> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_twin_answers_as_its_method_does() {
    let mut client = mailbox("wall");
    assert_eq!(block_on(client.put_async("letter", &[1, 2])), client.put("letter", &[1, 2]));
    // Nothing of the arguments is borrowed by the call.
    let call = {
        let letter = String::from("gone when it is sent");
        client.put_async(&letter, b"")
    };
    assert_eq!(block_on(call), Ok(20));
}

#[test]
fn a_base_has_its_twin_on_every_client() {
    let client = mailbox("wall");
    assert_eq!(block_on(client.name_async()).as_deref(), Ok("wall"));
    assert_eq!(block_on(client.upcast::<dyn Named>().name_async()).as_deref(), Ok("wall"));
}

#[test]
fn capabilities_travel_in_arguments_and_results() {
    let (client, sender) = (mailbox("wall"), host::<dyn Named, _>(|| Wall::new("sender")));
    let opened = client.open_async("inner".into(), Some(sender.clone()));
    // The call holds what it carries.
    drop(sender);
    let (inner, sender) = block_on(opened).unwrap();
    assert_eq!(block_on(inner.client().name_async()).as_deref(), Ok("inner"));
    assert_eq!(block_on(sender.unwrap().client().name_async()).as_deref(), Ok("sender"));
}

#[test]
fn the_twin_of_a_later_method_is_done_when_the_result_is_there() {
    let mut client = mailbox("wall");
    let mut next: Calling<Result<String, Error>> = client.next_async();
    assert_eq!(client.readers(), Ok(0), "nothing is sent before the first poll");
    assert!(poll_once(&mut next).is_pending());
    let reader = std::thread::spawn(move || block_on(next));
    while client.readers() != Ok(1) {}
    client.put("letter", b"").unwrap();
    assert_eq!(reader.join().unwrap().as_deref(), Ok("letter"));
}

#[test]
fn what_cannot_be_sent_is_the_result() {
    let client = mailbox("wall");
    let result = block_on(client.put_async("", &[0; 1022]));
    assert_eq!(result, Err(Error::MessageTooLarge { length: 1 + 2 + 1022 }));
    assert_eq!(block_on(client.put_async("", &[0; 1021])), Ok(1021));
}

#[test]
fn a_panic_of_the_method_is_the_result() {
    assert_eq!(block_on(mailbox("wall").break_async()), Err(Error::ServerPanicked));
}

#[test]
fn a_clients_deadline_holds_for_its_twins() {
    let client = mailbox("wall").with_deadline(Deadline::After(Duration::from_millis(20)));
    let start = Instant::now();
    assert_eq!(block_on(client.next_async()), Err(Error::DeadlineExceeded));
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!(block_on(client.name_async()).as_deref(), Ok("wall"));
}

#[test]
#[should_panic = "after it was done"]
fn a_call_that_is_done_is_not_polled_again() {
    let client = mailbox("wall");
    let mut call = client.name_async();
    assert_eq!(block_on(&mut call).as_deref(), Ok("wall"));
    let _ = poll_once(&mut call);
}

#[test]
fn calls_are_spawned_under_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let client = mailbox("wall");
    let letters: Vec<String> = (0..200).map(|number| "x".repeat(number)).collect();
    // More than there are lanes, none of which borrows anything or stays on its thread.
    let tasks: Vec<_> = letters.iter().map(|letter| runtime.spawn(client.put_async(letter, b""))).collect();
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(runtime.block_on(task).unwrap(), Ok(number));
    }
    let alive = runtime.block_on(async move {
        let reader = tokio::spawn(client.next_async());
        while client.readers_async().await != Ok(1) {}
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
        client.name_async().await
    });
    assert_eq!(alive.as_deref(), Ok("wall"));
}

#[test]
fn a_deadline_needs_no_timer_of_tokios() {
    // A runtime without a timer.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let client = mailbox("wall").with_deadline(Deadline::After(Duration::from_millis(20)));
    assert_eq!(runtime.block_on(client.next_async()), Err(Error::DeadlineExceeded));
}
