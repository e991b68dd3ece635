//! Streams driven by tasks under tokio.

#![allow(clippy::unwrap_used)] // clippy knows only the functions that are marked as tests

mod common;

use common::dataspace;
use portcullis_ipc::Deadline;
use portcullis_packet_stream::{AsyncSink, AsyncSource, Error, Geometry, HangUp, SignalSocket, Sink, Source};
use portcullis_shm::{Dataspace, Window};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

fn ends(geometry: Geometry) -> (AsyncSource<u32>, AsyncSink<u32>, Dataspace) {
    ends_over(SignalSocket::pair().unwrap(), geometry)
}

fn ends_over(
    (ours, theirs): (SignalSocket, SignalSocket),
    geometry: Geometry,
) -> (AsyncSource<u32>, AsyncSink<u32>, Dataspace) {
    let dataspace = dataspace::<u32>(geometry);
    let attach = || dataspace.attach(Window::WHOLE).unwrap();
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

/// A loop that serves many streams keeps the socket of one that has ended.
#[tokio::test]
async fn a_task_that_waits_for_room_sees_an_end_in_order_while_the_socket_stays() {
    let sockets = SignalSocket::pair().unwrap();
    let (mut source, sink, _dataspace) = ends_over(sockets.clone(), Geometry::new(1, 1, 4096).unwrap());
    let packet = source.source().alloc(1).unwrap();
    source.submit(packet, 1).await.unwrap();
    source.source().wakeup().unwrap();
    let packet = source.source().alloc(2).unwrap();
    let going = async { drop(sink) };
    let both = async { tokio::join!(source.submit(packet, 2), going) };
    let (submitted, ()) = tokio::time::timeout(LIMIT, both).await.expect("it does not wait for the socket");
    let unsubmitted = submitted.unwrap_err();
    assert_eq!((unsubmitted.reason, unsubmitted.packet.size()), (Error::Closed, 2));

    let sockets = SignalSocket::pair().unwrap();
    let (mut source, mut sink, _dataspace) = ends_over(sockets.clone(), Geometry::new(2, 1, 4096).unwrap());
    for number in [1, 2] {
        let packet = source.source().alloc(1).unwrap();
        source.submit(packet, number).await.unwrap();
    }
    source.source().wakeup().unwrap();
    let (first, second) = (sink.get().await.unwrap(), sink.get().await.unwrap());
    sink.acknowledge(first, 1).await.unwrap();
    sink.sink().wakeup().unwrap();
    let going = async { drop(source) };
    let both = async { tokio::join!(sink.acknowledge(second, 2), going) };
    let (acknowledged, ()) = tokio::time::timeout(LIMIT, both).await.expect("nor does a sink");
    let unacknowledged = acknowledged.unwrap_err();
    assert_eq!((unacknowledged.reason, unacknowledged.packet.control()), (Error::Closed, 2));
}

/// As calls that block do: what the other side did before it went counts.
#[tokio::test]
async fn a_task_that_waits_for_room_uses_what_was_made_before_the_end() {
    let (mut source, mut sink, _dataspace) = ends(Geometry::new(1, 1, 4096).unwrap());
    let packet = source.source().alloc(1).unwrap();
    source.submit(packet, 1).await.unwrap();
    source.source().wakeup().unwrap();
    let packet = source.source().alloc(1).unwrap();
    let going = async {
        let _received = sink.get().await.unwrap();
        drop(sink);
    };
    let both = async { tokio::join!(source.submit(packet, 2), going) };
    let (submitted, ()) = tokio::time::timeout(LIMIT, both).await.unwrap();
    assert!(submitted.is_ok(), "{submitted:?}");
    assert_eq!(source.source().wakeup(), Err(Error::Closed), "nobody will take it");

    let (mut source, sink, _dataspace) = ends(Geometry::new(1, 1, 4096).unwrap());
    let packet = source.source().alloc(1).unwrap();
    source.submit(packet, 1).await.unwrap();
    let packet = source.source().alloc(1).unwrap();
    let going = async { drop(sink) };
    let both = async { tokio::join!(source.submit(packet, 2), going) };
    let (submitted, ()) = tokio::time::timeout(LIMIT, both).await.unwrap();
    assert_eq!(submitted.unwrap_err().reason, Error::Closed, "in order, and its socket is closed, too");
}

/// The peer's end of the socket may be open elsewhere after its death.
#[tokio::test]
async fn a_hang_up_ends_every_wait_of_a_task_while_the_socket_stays() {
    async fn ended<T>(hang_up: HangUp, waiting: impl Future<Output = T> + Send) -> T {
        // In this order: it waits, and then it is said.
        let both = async { tokio::join!(waiting, async { hang_up.peer_is_gone() }) };
        let begin = Instant::now();
        let (ended, ()) = tokio::time::timeout(LIMIT, both).await.unwrap();
        assert!(begin.elapsed() < LIMIT / 2, "it was woken by its time limit");
        ended
    }
    let geometry = Geometry::new(1, 1, 4096).unwrap();

    let (_source, mut sink, _dataspace) = ends(geometry);
    let hang_up = sink.sink().hang_up();
    assert_eq!(ended(hang_up, sink.get()).await.map(drop), Err(Error::Disconnected));

    let (mut source, _sink, _dataspace) = ends(geometry);
    let hang_up = source.source().hang_up();
    assert_eq!(ended(hang_up, source.acknowledged()).await.map(drop), Err(Error::Disconnected));

    let (mut source, _sink, _dataspace) = ends(geometry);
    let [first, second] = [1, 2].map(|size| source.source().alloc(size).unwrap());
    source.submit(first, 1).await.unwrap();
    let hang_up = source.source().hang_up();
    let unsubmitted = ended(hang_up, source.submit(second, 2)).await.unwrap_err();
    assert_eq!((unsubmitted.reason, unsubmitted.packet.size()), (Error::Disconnected, 2));

    let (mut source, mut sink, _dataspace) = ends(geometry);
    for number in [1, 2] {
        let packet = source.source().alloc(1).unwrap();
        source.submit(packet, number).await.unwrap();
        source.source().wakeup().unwrap();
        let received = sink.get().await.unwrap();
        sink.sink().wakeup().unwrap();
        if number == 1 {
            sink.acknowledge(received, 1).await.unwrap();
        } else {
            let hang_up = sink.sink().hang_up();
            let unacknowledged = ended(hang_up, sink.acknowledge(received, 2)).await.unwrap_err();
            let expected = (Error::Disconnected, 2);
            assert_eq!((unacknowledged.reason, unacknowledged.packet.control()), expected);
        }
    }
}

/// By another thread, at whatever time; and what was put before is taken first.
#[tokio::test]
async fn a_hang_up_by_another_thread_is_never_missed_by_a_task() {
    for round in 0..500 {
        let (mut source, mut sink, _dataspace) = ends(Geometry::new(1, 1, 4096).unwrap());
        let packet = source.source().alloc(1).unwrap();
        source.submit(packet, round).await.unwrap();
        source.source().wakeup().unwrap();
        let hang_up = sink.sink().hang_up();
        let watcher = std::thread::spawn(move || hang_up.peer_is_gone());
        let got = tokio::time::timeout(LIMIT, sink.get()).await.unwrap().unwrap();
        assert_eq!(got.control(), round);
        let begin = Instant::now();
        let gone = tokio::time::timeout(LIMIT, sink.get()).await.unwrap();
        assert!(begin.elapsed() < LIMIT / 2, "it was woken by its time limit");
        assert_eq!(gone.map(drop), Err(Error::Disconnected));
        watcher.join().unwrap();
    }
}

/// What the side says at its end comes by the socket, also when nothing reaches the dataspace any more.
#[tokio::test]
async fn a_task_learns_of_a_free_when_the_owners_side_ends() {
    let sockets = SignalSocket::pair().unwrap();
    let (source, mut sink, dataspace) = ends_over(sockets.clone(), Geometry::new(4, 4, 4096).unwrap());
    let going = async move {
        drop(dataspace);
        drop(source);
    };
    let both = async { tokio::join!(sink.get(), going) };
    let (got, ()) = tokio::time::timeout(LIMIT, both).await.unwrap();
    assert_eq!(got.map(drop), Err(Error::Memory(portcullis_shm::Error::Revoked)));
}

/// What a call that blocks leaves behind: that this side looks by itself, so that the other sends it no signal.
#[tokio::test]
async fn g43_a_task_gets_signals_after_calls_that_block() {
    let geometry = Geometry::new(1, 1, 4096).unwrap();
    let dataspace = dataspace::<u32>(geometry);
    let attach = || dataspace.attach(Window::WHOLE).unwrap();
    let mut source = Source::<u32>::new(attach(), geometry).unwrap();
    let mut sink = Sink::<u32>::new(attach(), geometry).unwrap();
    let soon = || Deadline::After(Duration::from_millis(1));
    // Before each is a task's.
    assert_eq!(source.acknowledged(soon()).map(drop), Err(Error::DeadlineExceeded));
    assert_eq!(sink.get(soon()).map(drop), Err(Error::DeadlineExceeded));
    let (ours, theirs) = SignalSocket::pair().unwrap();
    let mut source = AsyncSource::new(source, ours).unwrap();
    let mut sink = AsyncSink::new(sink, theirs).unwrap();
    for round in 0..4 {
        let packet = source.source().alloc(1).unwrap();
        let submitting = async {
            source.submit(packet, round).await?;
            source.source().wakeup()?;
            Ok::<_, Error>(())
        };
        // In this order the sink waits first.
        let both = async { tokio::join!(sink.get(), submitting) };
        let (got, submitted) = tokio::time::timeout(LIMIT, both).await.expect("the sink is told");
        assert_eq!(submitted, Ok(()));
        let acknowledging = async {
            sink.acknowledge(got.unwrap(), round).await?;
            sink.sink().wakeup()?;
            Ok::<_, Error>(())
        };
        let both = async { tokio::join!(source.acknowledged(), acknowledging) };
        let (back, acknowledged) = tokio::time::timeout(LIMIT, both).await.expect("the source is told");
        assert_eq!((acknowledged, back.unwrap().answered), (Ok(()), round));
        // And while each is one's.
        assert_eq!(source.source().acknowledged(soon()).map(drop), Err(Error::DeadlineExceeded));
        assert_eq!(sink.sink().get(soon()).map(drop), Err(Error::DeadlineExceeded));
    }
}

/// As above, for who waits for room.
#[tokio::test]
async fn g43_a_task_is_told_of_room_after_calls_that_block() {
    let (mut source, mut sink, _dataspace) = ends(Geometry::new(1, 1, 4096).unwrap());
    let soon = || Deadline::After(Duration::from_millis(1));
    let [first, second] = [1, 2].map(|size| source.source().alloc(size).unwrap());
    source.submit(first, 1).await.unwrap();
    let full = source.source().submit(second, 2, soon()).unwrap_err();
    assert_eq!(full.reason, Error::DeadlineExceeded);
    let taking = async {
        let received = sink.get().await?;
        sink.sink().wakeup()?;
        Ok::<_, Error>(received)
    };
    let both = async { tokio::join!(source.submit(full.packet, 2), taking) };
    let (submitted, got) = tokio::time::timeout(LIMIT, both).await.expect("the source is told");
    submitted.unwrap();
    source.source().wakeup().unwrap();
    let one = got.unwrap();

    let two = sink.get().await.unwrap();
    sink.acknowledge(one, 1).await.unwrap();
    let full = sink.sink().acknowledge(two, 2, soon()).unwrap_err();
    assert_eq!(full.reason, Error::DeadlineExceeded);
    let taking = async {
        let acknowledged = source.acknowledged().await?;
        source.source().wakeup()?;
        Ok::<_, Error>(acknowledged)
    };
    let both = async { tokio::join!(sink.acknowledge(full.packet, 2), taking) };
    let (acknowledged, back) = tokio::time::timeout(LIMIT, both).await.expect("the sink is told");
    acknowledged.unwrap();
    assert_eq!(back.unwrap().answered, 1);
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

/// Unix sockets tell of what the other end has not read before they give what it has sent.
#[test]
fn signals_that_came_before_the_end_are_taken_first() {
    let (ours, theirs) = SignalSocket::pair().unwrap();
    ours.signal();
    theirs.signal();
    drop(theirs);
    assert_eq!(ours.take(), Ok(true));
    assert_eq!(ours.take(), Err(Error::Disconnected));
}

#[test]
fn what_is_no_socket_of_that_kind_is_refused() {
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(matches!(SignalSocket::adopt(file.into()), Err(Error::NoSocket)));
    let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(matches!(SignalSocket::adopt(stream.into()), Err(Error::NoSocket)));
}

/// One that is not connected never says that its other end is closed.
#[test]
fn a_socket_that_is_not_connected_is_refused() {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let socket = || {
        let (family, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
        rustix::net::socket_with(family, SocketType::SEQPACKET, flags, None).unwrap()
    };
    assert!(matches!(SignalSocket::adopt(socket()), Err(Error::NoSocket)));
    let listening = socket();
    rustix::net::bind(&listening, &rustix::net::SocketAddrUnix::new_unnamed()).unwrap();
    rustix::net::listen(&listening, 1).unwrap();
    assert!(matches!(SignalSocket::adopt(listening), Err(Error::NoSocket)));
    let (ours, theirs) = SignalSocket::pair().unwrap();
    let adopted = SignalSocket::adopt(theirs.as_fd().try_clone_to_owned().unwrap()).unwrap();
    ours.signal();
    assert_eq!(adopted.take(), Ok(true));
    // Whoever has closed its end was connected: that is told when something is taken.
    drop((ours, theirs));
    let adopted = SignalSocket::adopt(adopted.as_fd().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!(adopted.take(), Err(Error::Disconnected));
}
