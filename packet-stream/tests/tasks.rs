//! Streams driven by tasks under tokio.

#![allow(clippy::unwrap_used)] // clippy knows only the functions that are marked as tests

mod common;

use common::dataspace;
use portcullis_packet_stream::{AsyncSink, AsyncSource, Error, Geometry, SignalSocket, Sink, Source};
use portcullis_shm::{Dataspace, Window};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn ends(geometry: Geometry) -> (AsyncSource<u32>, AsyncSink<u32>, Dataspace) {
    let dataspace = dataspace::<u32>(geometry);
    let attach = || dataspace.attach(Window::WHOLE).unwrap();
    let (ours, theirs) = SignalSocket::pair().unwrap();
    let source = AsyncSource::new(Source::new(attach(), geometry).unwrap(), ours).unwrap();
    let sink = AsyncSink::new(Sink::new(attach(), geometry).unwrap(), theirs).unwrap();
    (source, sink, dataspace)
}

/// Each waits for the other all the time: the queues are as short as can be.
#[tokio::test]
async fn g43_tasks_miss_no_signal() {
    const PACKETS: u32 = 20_000;
    for (submit, acknowledge) in [(1, 1), (4, 2), (1, 8)] {
        let (mut source, mut sink, _dataspace) = ends(Geometry::new(submit, acknowledge, 4096).unwrap());
        let taking = async move {
            for number in 0..PACKETS {
                let received = sink.get().await?;
                assert_eq!(received.control(), number);
                sink.acknowledge(received, number).await?;
            }
            sink.sink().wakeup()?;
            Ok::<_, Error>(sink)
        };
        let submitting = async move {
            let (mut next, mut back) = (0, 0);
            while back < PACKETS {
                // No more than the sink can acknowledge without us.
                while next < PACKETS && next - back < acknowledge {
                    let packet = source.source().alloc(8)?;
                    source.submit(packet, next).await?;
                    next += 1;
                }
                let acknowledged = source.acknowledged().await?;
                assert_eq!(acknowledged.answered, back);
                source.source().release(acknowledged.packet);
                back += 1;
            }
            Ok::<_, Error>(source)
        };
        let both = async { tokio::try_join!(taking, submitting) };
        tokio::time::timeout(LIMIT, both).await.expect("no signal is lost").unwrap();
    }
}

#[tokio::test]
async fn a_task_sees_the_other_side_go() {
    let (source, mut sink, _dataspace) = ends(Geometry::new(4, 4, 4096).unwrap());
    let waiting = async { sink.get().await.unwrap_err() };
    let going = async move { drop(source) };
    let (gone, ()) = tokio::time::timeout(LIMIT, async { tokio::join!(waiting, going) }).await.unwrap();
    assert!(matches!(gone, Error::Closed | Error::Disconnected), "{gone:?}");
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_nothing() {
    let (mut source, mut sink, _dataspace) = ends(Geometry::new(1, 1, 4096).unwrap());
    // Nothing is there: it waits, and is dropped.
    assert!(tokio::time::timeout(Duration::ZERO, sink.get()).await.is_err());
    let packet = source.source().alloc(1).unwrap();
    source.submit(packet, 1).await.unwrap();
    let packet = source.source().alloc(1).unwrap();
    assert!(tokio::time::timeout(Duration::ZERO, source.submit(packet, 2)).await.is_err(), "it is full");
    assert_eq!(source.source().free_bytes(), 4096 - 64, "the second packet's region is free again");
    assert_eq!(tokio::time::timeout(LIMIT, sink.get()).await.unwrap().unwrap().control(), 1);
}

#[test]
fn a_flood_of_signals_is_taken_in_turns_and_never_blocks_its_sender() {
    let (ours, theirs) = SignalSocket::pair().unwrap();
    for _ in 0..100_000 {
        ours.signal();
    }
    let turns = std::iter::from_fn(|| theirs.take().unwrap().then_some(())).count();
    assert!((2..10_000).contains(&turns), "{turns}");
    drop(ours);
    assert_eq!(theirs.take(), Err(Error::Disconnected));
}

#[test]
fn what_is_no_socket_of_that_kind_is_refused() {
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(matches!(SignalSocket::adopt(file.into()), Err(Error::NoSocket)));
    let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(matches!(SignalSocket::adopt(stream.into()), Err(Error::NoSocket)));
}
