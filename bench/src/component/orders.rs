//! What the benchmark asks of a component: the opcodes, and numbers in messages.

use crate::error::Error;
use portcullis_ipc::MsgBuf;

/// What a component is asked for; the opcode of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Order {
    /// Send the data back. What most cases measure.
    Echo = 0,
    /// Count the call in the object's own memory. What the cases with many objects measure.
    Count,
    /// Make an object and send its capability.
    NewObject,
    /// Make objects and send four capabilities.
    FourObjects,
    /// Run on one core: its number plus one, or 0 for all.
    Bind,
    /// Answer with the CPU time used so far, in nanoseconds.
    CpuTime,
    /// Answer, then serve the floor's ping-pong: 0 to spin or 1 for futexes, and the bytes of a payload.
    Floor,
    /// Take the capability in the message as what to call, and call it for the first time.
    Target,
    /// Answer, wait until the gate leaves the given state, then call the target for so many nanoseconds.
    Run,
    /// Answer with what the last run came to: the calls, and its CPU time.
    Outcome,
    /// Answer with times of the last run, from the given place on: pairs of nanoseconds and how often.
    Times,
}

impl Order {
    const ALL: [Order; 11] = [
        Order::Echo,
        Order::Count,
        Order::NewObject,
        Order::FourObjects,
        Order::Bind,
        Order::CpuTime,
        Order::Floor,
        Order::Target,
        Order::Run,
        Order::Outcome,
        Order::Times,
    ];

    /// The order with that opcode.
    #[inline]
    pub(crate) fn decode(opcode: u32) -> Option<Order> {
        Order::ALL.get(opcode as usize).copied()
    }
}

/// A message that carries an order and numbers.
pub(crate) fn order(order: Order, numbers: &[u64]) -> Result<MsgBuf, Error> {
    let mut message = MsgBuf::new();
    message.set_method(order as u32, 0);
    write_numbers(&mut message, numbers)?;
    Ok(message)
}

/// Appends numbers.
pub(crate) fn write_numbers(message: &mut MsgBuf, numbers: &[u64]) -> Result<(), Error> {
    numbers.iter().try_for_each(|number| message.write(&number.to_le_bytes()).map_err(Error::from))
}

/// Reads exactly so many numbers.
pub(crate) fn read_numbers<const N: usize>(message: &MsgBuf, what: &'static str) -> Result<[u64; N], Error> {
    let (numbers, rest) = message.data().as_chunks::<8>();
    match <&[[u8; 8]; N]>::try_from(numbers) {
        Ok(numbers) if rest.is_empty() => Ok(numbers.map(u64::from_le_bytes)),
        _ => Err(Error::Misunderstood(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_found_by_its_opcode() {
        for (opcode, order) in (0..).zip(Order::ALL) {
            assert_eq!((order as u32, Order::decode(opcode)), (opcode, Some(order)));
        }
        assert_eq!(Order::decode(11), None);
    }

    #[test]
    fn numbers_travel_in_messages() {
        let message = order(Order::Bind, &[7, u64::MAX]).unwrap();
        assert_eq!(read_numbers::<2>(&message, "").unwrap(), [7, u64::MAX]);
        assert!(read_numbers::<3>(&message, "").is_err());
    }
}
