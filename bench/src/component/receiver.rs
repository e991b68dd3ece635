//! A component as the one who takes packets.

use super::afterwards::Afterwards;
use super::interface::Receiver;
use super::parent_lives;
use crate::error::Error;
use crate::stream::{Load, Sinks, Through};
use portcullis_rpc::{self as rpc, DataspaceCapability};
use std::cell::RefCell;
use std::rc::Rc;

/// Its ends of a stream and of rings, and what it found in the last block.
pub(crate) struct ReceiverObject {
    afterwards: Afterwards,
    ends: Rc<RefCell<(Sinks, u64)>>,
}

impl ReceiverObject {
    pub(crate) fn new(
        dataspace: &DataspaceCapability,
        load: Load,
        afterwards: Afterwards,
    ) -> Result<ReceiverObject, Error> {
        let sinks = Sinks::new(&dataspace.import()?, load)?;
        Ok(ReceiverObject { afterwards, ends: Rc::new(RefCell::new((sinks, 0))) })
    }
}

impl Receiver for ReceiverObject {
    fn take(&mut self, through: Through, packets: usize) -> Result<(), rpc::Error> {
        let ends = self.ends.clone();
        self.afterwards.put(move || {
            let (sinks, sum) = &mut *ends.borrow_mut();
            *sum = sinks.take(through, packets, parent_lives())?;
            Ok(())
        });
        Ok(())
    }

    fn sum(&mut self) -> Result<u64, rpc::Error> {
        Ok(self.ends.borrow().1)
    }
}
