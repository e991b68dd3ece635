//! One stream of operations on something that the sink has: what a block device does. What is written travels to the sink
//! with the operation; what is read is filled in by the sink before it acknowledges.

use crate::control::Control;
use crate::error::Error;
use crate::packet::{Packet, Received};
use crate::sink::{Sink, Unacknowledged};
use crate::source::{Source, Unsubmitted};
use portcullis_ipc::Deadline;
use portcullis_shm::{View, ViewMut};

/// Which way the content of an operation goes.
///
/// ```
/// use portcullis_packet_stream::Transfer;
///
/// assert_ne!(Transfer::Read, Transfer::Write);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// To the sink: filled before it is submitted.
    Write,
    /// From the sink: filled before it is acknowledged.
    Read,
    /// There is none.
    Nothing,
}

/// Control fields that say what is to be done. On the way back they say what came of it, in fields of their own choice: a status
/// whose zero means "not done" also tells what a sink has dropped.
///
/// ```
/// use portcullis_packet_stream::{Operation, Transfer, zerocopy};
/// use zerocopy::{Immutable, IntoBytes, TryFromBytes};
///
/// #[derive(Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
/// #[repr(u16)]
/// enum Kind { Read, Write, Sync }
///
/// #[derive(Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
/// #[repr(C)]
/// struct Request { block: u32, kind: Kind, done: u16 }
///
/// impl Operation for Request {
///     fn transfer(&self) -> Transfer {
///         match self.kind {
///             Kind::Read => Transfer::Read,
///             Kind::Write => Transfer::Write,
///             Kind::Sync => Transfer::Nothing,
///         }
///     }
/// }
/// ```
pub trait Operation: Control {
    /// Which way its content goes.
    fn transfer(&self) -> Transfer;
}

/// The side that asks for operations.
///
/// ```
/// # use portcullis_packet_stream::{Error, Geometry, Operation, OperationSink, OperationSource, Sink, Source, Transfer, zerocopy};
/// # use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
/// # use zerocopy::{Immutable, IntoBytes, TryFromBytes};
/// #[derive(Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
/// #[repr(u8)]
/// enum Request { Read, Write, Done }
///
/// impl Operation for Request {
///     fn transfer(&self) -> Transfer {
///         match self {
///             Request::Read => Transfer::Read,
///             Request::Write => Transfer::Write,
///             Request::Done => Transfer::Nothing,
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Error> {
/// # let geometry = Geometry::new(8, 8, 1 << 14)?;
/// # let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<Request>())?;
/// let mut source = OperationSource::new(Source::<Request>::new(dataspace.attach(Window::WHOLE)?, geometry)?);
/// let mut sink = OperationSink::new(Sink::<Request>::new(dataspace.attach(Window::WHOLE)?, geometry)?);
/// source.try_write(Request::Write, b"hello")?;
/// source.try_read(Request::Read, 5)?;
/// source.stream().wakeup()?;
///
/// let mut stored = Vec::new();
/// while let Some(operation) = sink.try_next()? {
///     match sink.written(&operation)? {
///         Some(content) => stored = content.to_vec()?,
///         None => sink.fill(&operation)?.expect("it is a read").copy_from(&stored)?,
///     }
///     sink.try_complete(operation, Request::Done)?;
/// }
/// sink.stream().wakeup()?;
///
/// assert!(source.try_completed()?.is_some_and(|write| matches!(write.operation, Request::Write)));
/// let read = source.try_completed()?.expect("both were done");
/// assert_eq!(source.read(&read)?.expect("it is a read").to_vec()?, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OperationSource<O: Operation>(Source<O>);

/// An operation that has come back.
///
/// ```
/// # use portcullis_packet_stream::{Completed, Operation};
/// fn was_for<O: Operation>(completed: &Completed<O>) -> &O {
///     // Our own record, whatever the sink has answered.
///     &completed.operation
/// }
/// ```
#[derive(Debug)]
pub struct Completed<O> {
    /// What was asked for, from the source's own records.
    pub operation: O,
    /// What came of it, as the sink alleges.
    pub answer: O,
    packet: Packet,
}

impl<O: Operation> OperationSource<O> {
    /// Operations over a stream.
    #[must_use]
    pub fn new(source: Source<O>) -> OperationSource<O> {
        OperationSource(source)
    }

    /// The stream below: to wake the sink, to set handlers, to wait for room.
    pub fn stream(&mut self) -> &mut Source<O> {
        &mut self.0
    }

    /// Asks for an operation whose content goes to the sink.
    ///
    /// # Errors
    /// [`Error::BufferFull`], [`Error::QueueFull`]: take what is completed first; [`Error::WrongTransfer`];
    /// [`Error::PacketTooLarge`], [`Error::Violation`], [`Error::Memory`]. Nothing was asked for.
    pub fn try_write(&mut self, operation: O, content: &[u8]) -> Result<(), Error> {
        let packet = self.alloc(operation, Transfer::Write, content.len())?;
        self.0.content(&packet)?.copy_from(content)?;
        Ok(self.0.try_submit(packet, operation)?)
    }

    /// Asks for an operation that brings so many bytes from the sink.
    ///
    /// # Errors
    /// As of [`try_write`](Self::try_write).
    pub fn try_read(&mut self, operation: O, size: usize) -> Result<(), Error> {
        let packet = self.alloc(operation, Transfer::Read, size)?;
        Ok(self.0.try_submit(packet, operation)?)
    }

    /// Asks for an operation without content.
    ///
    /// # Errors
    /// As of [`try_write`](Self::try_write).
    pub fn try_plain(&mut self, operation: O) -> Result<(), Error> {
        let packet = self.alloc(operation, Transfer::Nothing, 0)?;
        Ok(self.0.try_submit(packet, operation)?)
    }

    /// Asks for an operation on a packet that the caller has filled himself, if it is to be filled.
    ///
    /// # Errors
    /// As of [`Source::try_submit`]; the packet is given back.
    pub fn try_submit(&mut self, packet: Packet, operation: O) -> Result<(), Unsubmitted> {
        self.0.try_submit(packet, operation)
    }

    fn alloc(&mut self, operation: O, transfer: Transfer, size: usize) -> Result<Packet, Error> {
        if operation.transfer() != transfer {
            return Err(Error::WrongTransfer);
        }
        if self.0.room()? == 0 {
            return Err(Error::QueueFull);
        }
        self.0.alloc(size)
    }

    /// Takes an operation that has come back, if there is one.
    ///
    /// # Errors
    /// As of [`Source::try_acknowledged`].
    pub fn try_completed(&mut self) -> Result<Option<Completed<O>>, Error> {
        Ok(self.0.try_acknowledged()?.map(|back| Completed {
            operation: back.submitted,
            answer: back.answered,
            packet: back.packet,
        }))
    }

    /// Takes an operation that has come back, and waits for one if need be.
    ///
    /// # Errors
    /// As of [`Source::acknowledged`].
    pub fn completed(&mut self, deadline: Deadline) -> Result<Completed<O>, Error> {
        let back = self.0.acknowledged(deadline)?;
        Ok(Completed { operation: back.submitted, answer: back.answered, packet: back.packet })
    }

    /// What a read has brought, if `completed` is a read: by its own record, not by what the sink answers.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    pub fn read<'a>(&'a self, completed: &'a Completed<O>) -> Result<Option<View<'a>>, Error> {
        let content = self.0.content(&completed.packet)?;
        Ok((completed.operation.transfer() == Transfer::Read).then(|| content.view()))
    }

    /// Makes the region of an operation free again. Dropping it does the same more slowly.
    pub fn release(&mut self, completed: Completed<O>) {
        self.0.release(completed.packet);
    }
}

/// The side that carries operations out. [`OperationSource`] has an example.
///
/// ```
/// # use portcullis_packet_stream::{Error, Operation, OperationSink};
/// fn refuse_all<O: Operation>(sink: &mut OperationSink<O>, refused: O) -> Result<(), Error> {
///     while let Some(operation) = sink.try_next()? {
///         sink.try_complete(operation, refused)?;
///     }
///     sink.stream().wakeup()
/// }
/// ```
#[derive(Debug)]
pub struct OperationSink<O: Operation>(Sink<O>);

impl<O: Operation> OperationSink<O> {
    /// Operations over a stream.
    #[must_use]
    pub fn new(sink: Sink<O>) -> OperationSink<O> {
        OperationSink(sink)
    }

    /// The stream below: to wake the source, to set handlers.
    pub fn stream(&mut self) -> &mut Sink<O> {
        &mut self.0
    }

    /// Takes the next operation, if there is one.
    ///
    /// # Errors
    /// As of [`Sink::try_get`].
    pub fn try_next(&mut self) -> Result<Option<Received<O>>, Error> {
        self.0.try_get()
    }

    /// Takes the next operation, and waits for one if need be.
    ///
    /// # Errors
    /// As of [`Sink::get`].
    pub fn next(&mut self, deadline: Deadline) -> Result<Received<O>, Error> {
        self.0.get(deadline)
    }

    /// What is to be written, if it is a write. A hostile source can change it at any time: copies are what counts.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    pub fn written<'a>(&'a self, operation: &'a Received<O>) -> Result<Option<View<'a>>, Error> {
        let content = self.0.content(operation)?;
        Ok((operation.control().transfer() == Transfer::Write).then(|| content.view()))
    }

    /// Where the answer goes, if it is a read.
    ///
    /// # Errors
    /// [`Error::WrongStream`], [`Error::Memory`].
    pub fn fill<'a>(&'a self, operation: &'a Received<O>) -> Result<Option<ViewMut<'a>>, Error> {
        let content = self.0.content(operation)?;
        Ok((operation.control().transfer() == Transfer::Read).then_some(content))
    }

    /// Says what came of an operation.
    ///
    /// # Errors
    /// As of [`Sink::try_acknowledge`]; the operation is given back.
    pub fn try_complete(&mut self, operation: Received<O>, answer: O) -> Result<(), Unacknowledged<O>> {
        self.0.try_acknowledge(operation, answer)
    }
}
