//! Both sides of a stream within this process.

#![allow(dead_code, clippy::unwrap_used)] // each test uses a part; clippy knows only the functions that are marked as tests

use portcullis_packet_stream::{Control, Geometry, Notify, Signal, Sink, Source};
use portcullis_shm::{Attachment, Dataspace, RamAccount, RamAllocator, RamQuota, Window};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

pub(crate) fn geometry() -> Geometry {
    Geometry::new(4, 2, 4096).unwrap()
}

pub(crate) fn dataspace<D: Control>(geometry: Geometry) -> Dataspace {
    RamAllocator::new(&RamAccount::new(RamQuota::mib(64))).alloc(geometry.bytes::<D>()).unwrap()
}

thread_local! {
    /// Dataspaces that live as long as the test.
    static KEPT: RefCell<Vec<Dataspace>> = const { RefCell::new(Vec::new()) };
}

/// Both sides, and the memory for whoever does not keep to the rules.
pub(crate) fn pair<D: Control>(geometry: Geometry) -> (Source<D>, Sink<D>, Attachment) {
    let dataspace = dataspace::<D>(geometry);
    let pair = pair_in(&dataspace, geometry);
    KEPT.with_borrow_mut(|kept| kept.push(dataspace));
    pair
}

/// The same in a dataspace that the test can free.
pub(crate) fn pair_in<D: Control>(
    dataspace: &Dataspace,
    geometry: Geometry,
) -> (Source<D>, Sink<D>, Attachment) {
    let attach = || dataspace.attach(Window::WHOLE).unwrap();
    (Source::new(attach(), geometry).unwrap(), Sink::new(attach(), geometry).unwrap(), attach())
}

/// Submits packets of one byte, which is also their control field.
pub(crate) fn submit(source: &mut Source<u8>, bytes: impl IntoIterator<Item = u8>) {
    for byte in bytes {
        let packet = source.alloc(1).unwrap();
        source.content(&packet).unwrap().copy_from(&[byte]).unwrap();
        source.try_submit(packet, byte).unwrap();
    }
}

/// Where the counts and entries of the queues lie, for streams with control fields of at most 8 bytes.
pub(crate) const SUBMIT_PUT: usize = 3 * 128;
pub(crate) const SUBMIT_TAKEN: usize = 4 * 128;
pub(crate) const ACKNOWLEDGE_PUT: usize = 5 * 128;
pub(crate) const ACKNOWLEDGE_TAKEN: usize = 6 * 128;
pub(crate) const SUBMIT_ENTRIES: usize = 7 * 128;
/// Behind four entries of 16 bytes, on the next line.
pub(crate) const ACKNOWLEDGE_ENTRIES: usize = 8 * 128;

/// A handler that writes down what it is told.
#[derive(Clone, Default)]
pub(crate) struct Diary(pub(crate) Arc<Mutex<Vec<Vec<Signal>>>>);

impl Diary {
    pub(crate) fn take(&self) -> Vec<Vec<Signal>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Notify for Diary {
    fn notify(&self, signals: &[Signal]) {
        self.0.lock().unwrap().push(signals.to_vec());
    }
}
