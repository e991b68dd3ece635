//! How a peer is asked.

use crate::service::{Op, bytes, micros, words};
use portcullis_ipc::{Capability, Deadline, Error, MsgBuf};
use std::time::Duration;

/// A capability to an object of a [`Service`](crate::service::Service).
#[derive(Clone, Debug)]
pub struct Remote(pub Capability);

/// What a server holds, as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// `Usage::channels`.
    pub channels: u64,
    /// `Usage::rows`.
    pub rows: u64,
    /// `Usage::objects`.
    pub objects: u64,
    /// Requests that were handled so far, this one included.
    pub requests: u64,
    /// Callers that are held.
    pub held: u64,
    /// Open descriptors of its process.
    pub descriptors: u64,
    /// Mappings of its process.
    pub mappings: u64,
    /// Resident memory of its process, in KiB.
    pub resident_kib: u64,
}

/// What came of a call that a peer made for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nested {
    /// How long it took.
    pub time: Duration,
    /// The data of the answer, or the error as text.
    pub result: Result<Vec<u8>, String>,
}

impl Nested {
    /// Reads the answer to [`Op::CallKept`].
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn decode(data: &[u8]) -> Nested {
        let (head, rest) = data.split_at_checked(16).expect("a peer answers two words at least");
        let head = words(head);
        let result = match head[0] {
            0 => Err(String::from_utf8_lossy(rest).into_owned()),
            _ => Ok(rest.to_vec()),
        };
        Nested { time: Duration::from_micros(head[1]), result }
    }

    /// The words of the answer.
    ///
    /// # Panics
    /// If there was an error instead.
    pub fn words(&self) -> Vec<u64> {
        words(self.result.as_ref().expect("the nested call was answered"))
    }
}

/// A request as the service understands it.
///
/// # Errors
/// As `MsgBuf::write` and `MsgBuf::push`.
pub fn request(op: Op, numbers: &[u64], capabilities: &[&Remote]) -> Result<MsgBuf, Error> {
    let mut message = MsgBuf::new();
    message.set_method(op as u32, 0);
    message.write(&bytes(numbers))?;
    capabilities.iter().try_for_each(|remote| message.push(remote.0.clone()))?;
    Ok(message)
}

/// The capabilities of an answer, those taken before left out.
pub fn objects(message: &mut MsgBuf) -> Vec<Remote> {
    (0..message.capabilities()).filter_map(|slot| message.take(slot)).map(Remote).collect()
}

impl Remote {
    /// Asks and waits for the answer, for the default time.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn ask(&self, op: Op, numbers: &[u64], capabilities: &[&Remote]) -> Result<MsgBuf, Error> {
        let mut answer = MsgBuf::new();
        self.0.call(&request(op, numbers, capabilities)?, &mut answer)?;
        Ok(answer)
    }

    /// Asks and waits for the answer until the deadline.
    ///
    /// # Errors
    /// As `Capability::call_with`.
    pub fn ask_until(&self, deadline: Deadline, op: Op, numbers: &[u64]) -> Result<MsgBuf, Error> {
        let mut answer = MsgBuf::new();
        self.0.call_with(&request(op, numbers, &[])?, &mut answer, deadline)?;
        Ok(answer)
    }

    /// Asks for numbers.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn numbers(&self, op: Op, numbers: &[u64], capabilities: &[&Remote]) -> Result<Vec<u64>, Error> {
        Ok(words(self.ask(op, numbers, capabilities)?.data()))
    }

    /// New objects of the same server, four at most.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn new_objects(&self, count: u64) -> Result<Vec<Remote>, Error> {
        Ok(objects(&mut self.ask(Op::NewObjects, &[count], &[])?))
    }

    /// A new object of the same server.
    ///
    /// # Errors
    /// As `Capability::call`.
    ///
    /// # Panics
    /// If the answer holds none.
    pub fn new_object(&self) -> Result<Remote, Error> {
        Ok(self.new_objects(1)?.pop().expect("the answer holds an object"))
    }

    /// The slot of the object.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn name(&self) -> Result<u64, Error> {
        Ok(self.numbers(Op::Name, &[], &[])?[0])
    }

    /// What the server holds.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn report(&self) -> Result<Report, Error> {
        let words = self.numbers(Op::Report, &[], &[])?;
        Ok(Report {
            channels: words[0],
            rows: words[1],
            objects: words[2],
            requests: words[3],
            held: words[4],
            descriptors: words[5],
            mappings: words[6],
            resident_kib: words[7],
        })
    }

    /// Has the peer keep a capability, and answers its number there.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn keep(&self, kept: &Remote) -> Result<u64, Error> {
        Ok(self.numbers(Op::Keep, &[], &[kept])?[0])
    }

    /// Has the peer call what it keeps, and waits for what comes of it. A deadline of zero means never.
    ///
    /// # Errors
    /// As `Capability::call`: those of our own call, not those of the peer's.
    pub fn call_kept(&self, number: u64, op: Op, deadline: Duration, rest: &[u64]) -> Result<Nested, Error> {
        let answer = self.ask(Op::CallKept, &order(number, op, deadline, rest), &[])?;
        Ok(Nested::decode(answer.data()))
    }

    /// As [`call_kept`](Self::call_kept), and passes a capability on.
    ///
    /// # Errors
    /// As `Capability::call`: those of our own call, not those of the peer's.
    pub fn pass_on(&self, number: u64, op: Op, deadline: Duration, passed: &Remote) -> Result<Nested, Error> {
        let answer = self.ask(Op::CallKept, &order(number, op, deadline, &[]), &[passed])?;
        Ok(Nested::decode(answer.data()))
    }

    /// As [`call_kept`](Self::call_kept), by a task of the peer.
    ///
    /// # Errors
    /// As `Capability::call`: those of our own call, not those of the peer's.
    pub fn call_kept_as_task(&self, number: u64, op: Op, deadline: Duration) -> Result<Nested, Error> {
        let answer = self.ask(Op::CallKeptAsTask, &order(number, op, deadline, &[]), &[])?;
        Ok(Nested::decode(answer.data()))
    }

    /// Asks, for a task that waits for the answer, for the default time.
    ///
    /// # Errors
    /// As `Capability::call_async`.
    pub async fn ask_async(
        &self,
        op: Op,
        numbers: &[u64],
        capabilities: &[&Remote],
    ) -> Result<Box<MsgBuf>, Error> {
        self.0.call_async(Box::new(request(op, numbers, capabilities)?)).await
    }

    /// Asks, for a task that waits for the answer until the deadline.
    ///
    /// # Errors
    /// As `Capability::call_async_with`.
    pub async fn ask_async_until(
        &self,
        deadline: Deadline,
        op: Op,
        numbers: &[u64],
    ) -> Result<Box<MsgBuf>, Error> {
        self.0.call_async_with(Box::new(request(op, numbers, &[])?), deadline).await
    }

    /// Asks for numbers, for a task that waits for them.
    ///
    /// # Errors
    /// As `Capability::call_async`.
    pub async fn numbers_async(&self, op: Op, numbers: &[u64]) -> Result<Vec<u64>, Error> {
        Ok(words(self.ask_async(op, numbers, &[]).await?.data()))
    }

    /// Has the peer call what it keeps, on a thread of its own.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn call_in_background(&self, number: u64, op: Op, deadline: Duration) -> Result<(), Error> {
        self.ask(Op::CallInBackground, &order(number, op, deadline, &[]), &[]).map(drop)
    }

    /// As [`call_in_background`](Self::call_in_background), by a task that this thread runs.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn call_in_background_as_task(&self, number: u64, op: Op, deadline: Duration) -> Result<(), Error> {
        self.ask(Op::CallInBackgroundAsTask, &order(number, op, deadline, &[]), &[]).map(drop)
    }

    /// Waits for the oldest call in the background, and answers what came of it.
    ///
    /// # Errors
    /// As `Capability::call`.
    pub fn join(&self) -> Result<Nested, Error> {
        Ok(Nested::decode(self.ask(Op::Join, &[], &[])?.data()))
    }
}

fn order(number: u64, op: Op, deadline: Duration, rest: &[u64]) -> Vec<u64> {
    [&[number, op as u64, micros(deadline)], rest].concat()
}
