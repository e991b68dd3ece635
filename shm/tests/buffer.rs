//! Synchronous bulk transfer, step by step.

use portcullis_shm::{Buffer, BufferClient, Error, RamAccount, RamAllocator, RamQuota, Window};

const SIZE: usize = 16 << 10;

fn session(budget: RamQuota) -> (RamAccount, RamAllocator) {
    let account = RamAccount::new(budget);
    let allocator = RamAllocator::new(&account);
    (account, allocator)
}

#[test]
fn fig8_c1_more_budget_is_a_larger_buffer_and_none_is_none() -> Result<(), Error> {
    let (small, allocator) = session(RamQuota::bytes(SIZE as u64));
    assert!(matches!(Buffer::new(&allocator, SIZE), Err(Error::OutOfRam { .. })), "it takes a page beside");
    let buffer = Buffer::new(&allocator, SIZE - 4096)?;
    assert_eq!((buffer.size(), small.available()), (SIZE - 4096, RamQuota::bytes(0)));
    drop(buffer);
    assert_eq!(small.used(), RamQuota::bytes(0), "it comes back with the session");
    let (_, allocator) = session(RamQuota::mib(1));
    assert_eq!(Buffer::new(&allocator, 10 * SIZE)?.size(), 10 * SIZE);
    Ok(())
}

#[test]
fn fig8_c2_c3_the_client_attaches_it_once_and_fills_no_more_than_there_is() -> Result<(), Error> {
    let (_, allocator) = session(RamQuota::mib(1));
    let mut buffer = Buffer::new(&allocator, SIZE)?;
    let client = BufferClient::attach(&buffer.capability())?;
    for round in 0..100_u8 {
        let length = client.fill(&vec![round; SIZE - usize::from(round)])?;
        assert!(buffer.copy(length)?.iter().all(|byte| *byte == round));
    }
    assert!(matches!(client.fill(&vec![0; SIZE + 1]), Err(Error::OutOfBounds { .. })));
    for length in [SIZE + 1, usize::MAX] {
        assert!(matches!(buffer.copy(length), Err(Error::OutOfBounds { .. })), "{length} is a lie");
        assert!(matches!(buffer.for_each_block(length, |_| {}), Err(Error::OutOfBounds { .. })));
    }
    Ok(())
}

#[test]
fn fig8_c4_c5_what_the_server_checked_does_not_change_whatever_the_client_writes() -> Result<(), Error> {
    let (_, allocator) = session(RamQuota::mib(1));
    let mut buffer = Buffer::new(&allocator, SIZE)?;
    let client = BufferClient::attach(&buffer.capability())?;
    let hostile = buffer.capability().attach(Window::WHOLE)?;
    let length = client.fill(b"checked")?;
    let copy = buffer.copy(length)?;
    hostile.copy_from(0, b"changed")?;
    assert_eq!(copy, b"checked");
    assert_eq!(buffer.copy(length)?, b"changed", "the next copy is another one");
    Ok(())
}

#[test]
fn fig8_c6_c7_the_reply_tells_how_much_the_client_may_take() -> Result<(), Error> {
    let (_, allocator) = session(RamQuota::mib(1));
    let buffer = Buffer::new(&allocator, SIZE)?;
    let client = BufferClient::attach(&buffer.capability())?;
    let length = buffer.answer(&[7; 5000])?;
    assert_eq!(client.take(length)?, [7; 5000]);
    assert!(matches!(buffer.answer(&vec![0; SIZE + 1]), Err(Error::OutOfBounds { .. })));
    assert!(matches!(client.take(SIZE + 1), Err(Error::OutOfBounds { .. })), "a server may lie, too");
    let mut sum = 0;
    buffer
        .for_each_block(length, |block| sum += block.iter().map(|byte| usize::from(*byte)).sum::<usize>())?;
    assert_eq!(sum, 35_000);
    Ok(())
}
