//! What a packet stream carries beside a hand-written ring that does the same work, between two processes that take turns:
//! a block of packets through the ring, one through the ring with counts that move once a batch, one through a stream by
//! safe copies, one through a stream by trusted slices.
//! Every byte is written by the source, from private memory, and read by the sink. `throughput [BLOCKS [BYTES]]`; it starts itself as the sink.
//!
//! Each line is the median over the blocks, with the ratio of the rates (by that of the plain ring) in the same turn: median,
//! lowest and highest; and the median of the ratio by the ring in batches.
#![allow(unsafe_code)]

use portcullis_packet_stream::{Error, Geometry, Packet, Received, Sink, Source, Trusting};
use portcullis_shm::{
    Attachment, Attributes, DataspaceCapability, RamAccount, RamAllocator, RamQuota, Window,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SIZES: [u32; 5] = [64, 1 << 10, 4 << 10, 64 << 10, 1 << 20];
/// Bytes in a block, but not more packets than the second.
const BLOCK_BYTES: usize = 40 << 20;
const BLOCK_PACKETS: usize = 100_000;
/// What is filled at once.
const CHUNK: usize = 8 << 10;
/// Where the turns are taken.
const CONTROL: usize = 4096;

/// Everything about packets of one size.
#[derive(Clone, Copy)]
struct Plan {
    size: usize,
    slots: usize,
    packets: usize,
    batch: usize,
    geometry: Geometry,
}

impl Plan {
    fn new(size: u32) -> Result<Plan, Error> {
        let slots = ((1 << 20) / size.max(1)).clamp(4, 1024);
        let (count, size) = (slots as usize, size as usize);
        // Large packets need no small granules.
        let granule = u32::try_from(size / 64).unwrap_or(0).next_power_of_two();
        let geometry =
            Geometry::new(slots, slots, count * size)?.with_granule(granule.max(Geometry::GRANULE))?;
        let packets = (BLOCK_BYTES / size.max(1)).min(BLOCK_PACKETS);
        Ok(Plan { size, slots: count, packets, batch: (count / 8).clamp(1, 128), geometry })
    }

    fn area(&self) -> usize {
        self.geometry.bytes::<()>().max(RING_HEAD + self.slots * self.size).next_multiple_of(4096)
    }

    fn bytes(&self) -> usize {
        CONTROL + KINDS.len() * self.area()
    }

    fn window(&self, kind: usize) -> Window {
        Window::new(CONTROL + kind * self.area(), self.area())
    }
}

const KINDS: [&str; 4] = ["ring", "batched", "safe", "trusted"];
const RING: usize = 0;
const BATCHED: usize = 1;
const SAFE: usize = 2;
const TRUSTED: usize = 3;
const STOP: usize = 7;

/// Which block is to run, and what came of it.
struct Turns<'a> {
    /// The number of the block, and its kind in the three lowest bits.
    start: &'a AtomicU64,
    done: &'a AtomicU64,
    sum: &'a AtomicU64,
}

impl Turns<'_> {
    fn new(memory: &Attachment) -> Result<Turns<'_>, Error> {
        let word = |line: usize| memory.atomic_u64(line * 128);
        Ok(Turns { start: word(0)?, done: word(1)?, sum: word(2)? })
    }
}

/// What packets are made of: a payload in private memory that stays in the cache.
struct Payload(Box<[u8]>);

impl Payload {
    fn new() -> Payload {
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3]
        });
        Payload(noise.take(2 * CHUNK).collect())
    }

    /// The next part of a packet, which differs from packet to packet.
    fn chunk(&self, number: usize, size: usize) -> &[u8] {
        &self.0[number % (CHUNK / 64) * 64..][..size.min(CHUNK)]
    }

    /// The same as it is summed up by the sink, for a packet of this size.
    fn sum(&self, number: usize, size: usize) -> u64 {
        sum(self.chunk(number, size)).wrapping_mul(size.div_ceil(CHUNK) as u64)
    }

    fn fill(&self, number: usize, packet: &mut [u8]) {
        packet.chunks_mut(CHUNK).for_each(|part| part.copy_from_slice(self.chunk(number, part.len())));
    }
}

fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)));
    rest.iter().fold(words, |sum, byte| sum.wrapping_add(u64::from(*byte)))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sink", size, attributes] => sink(size, attributes),
        [blocks] => all_sizes(blocks.parse().unwrap_or(30), &SIZES),
        [blocks, size] => all_sizes(blocks.parse().unwrap_or(30), &[size.parse().unwrap_or(64)]),
        _ => all_sizes(30, &SIZES),
    };
    if let Err(error) = &ended {
        let _ = writeln!(std::io::stderr(), "{error}");
    }
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all_sizes(blocks: usize, sizes: &[u32]) -> Result<(), Error> {
    let allowed = sched_getaffinity(None).unwrap_or_default();
    sizes.iter().try_for_each(|size| {
        // The child inherits where this thread may run.
        let _ = sched_setaffinity(None, &allowed);
        measure(*size, blocks)
    })
}

/// Binds this thread to one of the cores that it may use.
fn bind(choose: impl FnOnce(&[usize]) -> Option<&usize>) {
    let allowed = sched_getaffinity(None).unwrap_or_default();
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
    if let Some(core) = choose(&cores) {
        let mut one = CpuSet::new();
        one.set(*core);
        let _ = sched_setaffinity(None, &one);
    }
}

fn measure(size: u32, blocks: usize) -> Result<(), Error> {
    let plan = Plan::new(size)?;
    let account = RamAccount::new(RamQuota::bytes(plan.bytes() as u64 + (1 << 20)));
    let dataspace = RamAllocator::new(&account).alloc(plan.bytes())?;
    let sent = dataspace.capability();
    let descriptor = sent.as_fd().try_clone_to_owned().map_err(|_| Error::Disconnected)?;
    let mut child = Command::new(std::env::current_exe().unwrap_or_default())
        .args(["sink", &size.to_string(), &sent.attributes().bits().to_string()])
        .stdin(descriptor)
        .spawn()
        .map_err(|_| Error::Disconnected)?;
    bind(<[usize]>::first);
    let control = dataspace.attach(Window::new(0, CONTROL))?;
    let turns = Turns::new(&control)?;
    let mut ring = Ring::new(dataspace.attach(plan.window(RING))?, plan, 1)?;
    let mut batched = Ring::new(dataspace.attach(plan.window(BATCHED))?, plan, plan.batch)?;
    let mut safe = Source::<()>::new(dataspace.attach(plan.window(SAFE))?, plan.geometry)?;
    // SAFETY: the other side is this program's own sink, and the dataspace lives until both have ended.
    let mut trusted =
        unsafe { Source::<(), Trusting>::trusting(dataspace.attach(plan.window(TRUSTED))?, plan.geometry)? };
    safe.watch();
    trusted.watch();
    let payload = Payload::new();
    let sums = (0..plan.packets).map(|number| payload.sum(number, plan.size));
    let expected = sums.fold(0, u64::wrapping_add);
    let mut times = [const { Vec::new() }; KINDS.len()];
    let mut next = 0;
    for block in 0..=blocks {
        for (kind, times) in times.iter_mut().enumerate() {
            next = (next & !7) + 8 + kind as u64;
            let begin = Instant::now();
            turns.start.store(next, Ordering::Release);
            match kind {
                RING => ring.put_all(&payload),
                BATCHED => batched.put_all(&payload),
                SAFE => submit(&mut safe, plan, |source, packet, number| {
                    let view = source.content(packet)?;
                    for offset in (0..plan.size).step_by(CHUNK) {
                        let chunk = payload.chunk(number, plan.size);
                        view.view_mut(offset, chunk.len())?.copy_from(chunk)?;
                    }
                    Ok(())
                })?,
                _ => submit(&mut trusted, plan, |source, packet, number| {
                    payload.fill(number, source.slice_mut(packet)?);
                    Ok(())
                })?,
            }
            while turns.done.load(Ordering::Acquire) != next {
                if !matches!(child.try_wait(), Ok(None)) {
                    return Err(Error::Disconnected);
                }
            }
            assert_eq!(turns.sum.load(Ordering::Relaxed), expected, "all bytes arrive");
            if block != 0 {
                times.push(begin.elapsed());
            }
        }
    }
    turns.start.store((next + 8) | STOP as u64, Ordering::Release);
    let _ = child.wait();
    report(plan, &times);
    Ok(())
}

fn report(plan: Plan, times: &[Vec<Duration>; KINDS.len()]) {
    for (name, ours) in KINDS.iter().zip(times) {
        let ratios = |floor: usize| {
            let ratio = |(floor, ours): (&Duration, &Duration)| floor.as_secs_f64() / ours.as_secs_f64();
            let mut ratios: Vec<f64> = times[floor].iter().zip(ours).map(ratio).collect();
            ratios.sort_by(f64::total_cmp);
            ratios
        };
        let (plain, batched) = (ratios(RING), ratios(BATCHED));
        let mut sorted = ours.clone();
        sorted.sort_unstable();
        let each = sorted[sorted.len() / 2].as_secs_f64() / plan.packets as f64;
        let _ = writeln!(
            std::io::stdout(),
            "{:>8} B {name:>8}: {:>9.1} ns a packet, {:>6.2} GB/s, ratio {:.3} ({:.3} to {:.3}), {:.3}",
            plan.size,
            each * 1e9,
            plan.size as f64 / each / 1e9,
            plain[plain.len() / 2],
            plain[0],
            plain[plain.len() - 1],
            batched[batched.len() / 2],
        );
    }
}

/// A block's packets, until all of them have come back.
fn submit<T>(
    source: &mut Source<(), T>,
    plan: Plan,
    mut fill: impl FnMut(&Source<(), T>, &mut Packet, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut submitted, mut back) = (0, 0);
    while back < plan.packets {
        let room = usize::try_from(source.room()?).unwrap_or(usize::MAX);
        for _ in 0..room.min(plan.batch).min(plan.packets - submitted) {
            let Ok(mut packet) = source.alloc(plan.size) else { break };
            fill(source, &mut packet, submitted)?;
            source.try_submit(packet, ())?;
            submitted += 1;
        }
        source.wakeup()?;
        while let Some(acknowledged) = source.try_acknowledged()? {
            source.release(acknowledged.packet);
            back += 1;
        }
    }
    source.wakeup()
}

/// The other process.
fn sink(size: &str, attributes: &str) -> Result<(), Error> {
    bind(<[usize]>::last);
    let plan = Plan::new(size.parse().unwrap_or(1))?;
    let attributes = Attributes::from_bits(attributes.parse().unwrap_or(0));
    let descriptor = std::io::stdin().as_fd().try_clone_to_owned().map_err(|_| Error::Disconnected)?;
    let dataspace = DataspaceCapability::from_parts(descriptor, attributes).import()?;
    let control = dataspace.attach(Window::new(0, CONTROL))?;
    let turns = Turns::new(&control)?;
    let mut ring = Ring::new(dataspace.attach(plan.window(RING))?, plan, 1)?;
    let mut batched = Ring::new(dataspace.attach(plan.window(BATCHED))?, plan, plan.batch)?;
    let mut safe = Sink::<()>::new(dataspace.attach(plan.window(SAFE))?, plan.geometry)?;
    // SAFETY: the other side is this program's own source, which keeps the dataspace until this has ended.
    let mut trusted =
        unsafe { Sink::<(), Trusting>::trusting(dataspace.attach(plan.window(TRUSTED))?, plan.geometry)? };
    safe.watch();
    trusted.watch();
    let mut last = 0;
    loop {
        let start = turns.start.load(Ordering::Acquire);
        if start == last {
            // Where the benchmark has died nobody else tells.
            if rustix::process::getppid().is_none_or(rustix::process::Pid::is_init) {
                return Ok(());
            }
            continue;
        }
        last = start;
        let mut total = 0_u64;
        match usize::try_from(start & 7).unwrap_or(STOP) {
            RING => total = ring.take_all(),
            BATCHED => total = batched.take_all(),
            SAFE => take(&mut safe, plan, |sink, packet| {
                let view = sink.content(packet)?.view();
                Ok(view.for_each_line(|_, line| total = total.wrapping_add(sum(line)))?)
            })?,
            TRUSTED => take(&mut trusted, plan, |sink, packet| {
                total = total.wrapping_add(sum(sink.slice(packet)?));
                Ok(())
            })?,
            _ => return Ok(()),
        }
        turns.sum.store(total, Ordering::Relaxed);
        turns.done.store(start, Ordering::Release);
    }
}

/// Takes a block's packets, and acknowledges them.
fn take<T>(
    sink: &mut Sink<(), T>,
    plan: Plan,
    mut look: impl FnMut(&Sink<(), T>, &Received<()>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut taken = 0;
    while taken < plan.packets {
        for _ in 0..plan.batch {
            let Some(packet) = sink.try_get()? else { break };
            look(sink, &packet)?;
            sink.try_acknowledge(packet, ())?;
            taken += 1;
        }
        sink.wakeup()?;
    }
    Ok(())
}

/// The floor: a ring of slots with cached counts, as one would write it by hand for two that trust each other.
struct Ring {
    /// After so many packets its counts move.
    batch: usize,
    memory: Attachment,
    base: *mut u8,
    plan: Plan,
    own: usize,
    other: usize,
}

const RING_HEAD: usize = 4096;

impl Ring {
    fn new(memory: Attachment, plan: Plan, batch: usize) -> Result<Ring, Error> {
        // SAFETY: only the address is kept; the slice ends at once.
        let base = unsafe { memory.slice_mut(0, RING_HEAD + plan.slots * plan.size)? }.as_mut_ptr();
        Ok(Ring { batch, memory, base, plan, own: 0, other: 0 })
    }

    fn word(&self, line: usize) -> &AtomicU64 {
        debug_assert!(self.memory.len() > line * 128);
        let word = self.base.wrapping_add(line * 128);
        // SAFETY: within the mapping, which lives as long as `memory`, and aligned; both sides access it atomically.
        unsafe { AtomicU64::from_ptr(word.cast()) }
    }

    fn count(&self, line: usize) -> usize {
        usize::try_from(self.word(line).load(Ordering::Acquire)).unwrap_or(usize::MAX)
    }

    fn slot(&self) -> *mut [u8] {
        let place = RING_HEAD + (self.own & (self.plan.slots - 1)) * self.plan.size;
        std::ptr::slice_from_raw_parts_mut(self.base.wrapping_add(place), self.plan.size)
    }

    /// Moves our count, at the end of a batch and of a block.
    fn step(&mut self, line: usize) {
        self.own += 1;
        if self.own.is_multiple_of(self.batch) || self.own.is_multiple_of(self.plan.packets) {
            self.word(line).store(self.own as u64, Ordering::Release);
        }
    }

    fn put_all(&mut self, payload: &Payload) {
        for number in 0..self.plan.packets {
            while self.own - self.other == self.plan.slots {
                self.other = self.count(1);
            }
            // SAFETY: within the mapping; the slot is ours until the count is stored, as the loop has just found.
            payload.fill(number, unsafe { &mut *self.slot() });
            self.step(0);
        }
    }

    fn take_all(&mut self) -> u64 {
        let mut total = 0_u64;
        for _ in 0..self.plan.packets {
            while self.own == self.other {
                self.other = self.count(0);
            }
            // SAFETY: within the mapping; the slot is ours until the count is stored, as the loop has just found.
            total = total.wrapping_add(sum(unsafe { &*self.slot() }));
            self.step(1);
        }
        total
    }
}
