//! The four signals, and how they reach the other side.

/// What a signal says. None carries anything else, and each may come once too often: its receiver looks for itself.
///
/// | signal | sent by | when it |
/// |---|---|---|
/// | `PacketAvail` | the source | put a packet into an empty submit queue |
/// | `ReadyToSubmit` | the sink | took a packet from a full submit queue |
/// | `AckAvail` | the sink | put an acknowledgement into an empty queue |
/// | `ReadyToAck` | the source | took an acknowledgement from a full queue |
///
/// ```
/// use portcullis_packet_stream::{Geometry, Signal, Source};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<()>())?;
/// let mut source = Source::<()>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// for _ in 0..2 {
///     let packet = source.alloc(100)?;
///     source.try_submit(packet, ())?;
///     source.wakeup()?;
/// }
/// assert_eq!(source.sent(Signal::PacketAvail), 1, "the queue was empty only once");
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// To the sink: there is a packet.
    PacketAvail,
    /// To the source: there is room in the submit queue.
    ReadyToSubmit,
    /// To the source: there is an acknowledgement.
    AckAvail,
    /// To the sink: there is room in the queue of acknowledgements.
    ReadyToAck,
}

/// What brings signals to a handler of the other side: a signal context, a socket, whatever does not block. A closure is
/// one, so that a capability to a signal context needs no more than `move |_| context.submit()`.
///
/// ```
/// use portcullis_packet_stream::{Notify, Signal};
/// use std::sync::mpsc::SyncSender;
///
/// struct Mail(SyncSender<()>);
///
/// impl Notify for Mail {
///     fn notify(&self, _: &[Signal]) {
///         // Full: the handler has not run since the last one, and looks at everything when it does.
///         let _ = self.0.try_send(());
///     }
/// }
/// ```
pub trait Notify: Send {
    /// Brings one notification that says all of these (one or two). Must not block, whatever the other side does.
    fn notify(&self, signals: &[Signal]);
}

impl<F: Fn(&[Signal]) + Send> Notify for F {
    fn notify(&self, signals: &[Signal]) {
        self(signals);
    }
}
