//! Both sides of a packet stream in memory that anybody writes: the bytes write any word of it, between steps of either side.
#![no_main]

use portcullis_packet_stream::{Error, Geometry, Sink, Source};
use portcullis_shm::{Attachment, RamAccount, RamAllocator, RamQuota, Window};

const BUFFER: usize = 1 << 12;
/// The words of the protocol, and some of the buffer.
const WORDS: usize = 200;
const PACKET: usize = 300;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = run(data);
});

fn run(mut data: &[u8]) -> Result<(), Error> {
    let geometry = Geometry::new(4, 2, BUFFER)?;
    let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<bool>())?;
    let memory = dataspace.attach(Window::WHOLE)?;
    let mut source = Source::<bool>::new(memory.clone(), geometry)?;
    let mut sink = Sink::<bool>::new(memory.clone(), geometry)?;
    let mut held = Vec::new();
    while let Some((step, rest)) = data.split_first() {
        data = rest;
        match step % 8 {
            0..3 => data = write(&memory, data),
            3..5 => submit(&mut source),
            5 => take_back(&mut source),
            6 => held.extend(sink.try_get().ok().flatten()),
            _ => {
                if let Some(received) = held.pop() {
                    let size = received.size();
                    let copy = sink.content(&received).and_then(|content| Ok(content.view().to_vec()?));
                    assert_eq!(copy.map(|copy| copy.len()), Ok(size), "what was accepted can be read");
                    let _ = sink.try_acknowledge(received, true);
                }
                let _ = sink.wakeup();
            }
        }
        assert!(source.free_bytes() + 64 * source.outstanding() <= BUFFER, "no region is free and submitted");
        assert!(sink.held() <= BUFFER / 64, "the buffer bounds what is held");
    }
    Ok(())
}

/// Writes a word: its number, and what it is made of.
fn write<'a>(memory: &Attachment, data: &'a [u8]) -> &'a [u8] {
    let Some((&[word, kind, low], rest)) = data.split_first_chunk::<3>() else { return &[] };
    let low = u64::from(low);
    let old = memory.read::<u64>(usize::from(word) % WORDS * 8).unwrap_or(0);
    let value = match kind % 6 {
        0 => low,
        1 => old.wrapping_add(low),
        2 => old.wrapping_sub(low),
        // A region: offset and size in granules, or about that.
        3 => (low % 64 * 64) | (low / 3) << 32,
        4 => u64::MAX - low,
        _ => low << (low % 56),
    };
    let _ = memory.write(usize::from(word) % WORDS * 8, &value);
    rest
}

fn submit(source: &mut Source<bool>) {
    if let Ok(packet) = source.alloc(PACKET) {
        let _ = source.content(&packet).map(|content| content.copy_from(&[1; PACKET]));
        let _ = source.try_submit(packet, true);
    }
    let _ = source.wakeup();
}

fn take_back(source: &mut Source<bool>) {
    if let Ok(Some(acknowledged)) = source.try_acknowledged() {
        assert_eq!((acknowledged.packet.size(), acknowledged.submitted), (PACKET, true));
        source.release(acknowledged.packet);
    }
}
