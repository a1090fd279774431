//! The API over real nodes on loopback, and over a host without any executor.

use super::toy::PATIENCE;
use super::virtual_node::Virtual;
use lasp::{
    Ask, AtLeast, Collection as _, Error, GCounter, Interests, Lasp, Membership, Op, ProgramError, ProgramState,
    Reaches, Set, StartError, Stop, Value, kind,
};
use lasp_node::RequestError;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::timeout;

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

async fn start(membership: Membership, contact: Option<&Lasp>) -> Lasp {
    let builder = Lasp::builder().cluster("test").listen("127.0.0.1:0").membership(membership);
    let builder = match contact {
        Some(lasp) => builder.join([lasp.me().await.expect("runs").addr.as_str()]),
        None => builder,
    };
    builder.start().await.expect("starts")
}

async fn cluster(membership: Membership) -> [Lasp; 3] {
    let a = start(membership, None).await;
    let b = start(membership, Some(&a)).await;
    let c = start(membership, Some(&a)).await;
    for lasp in [&a, &b, &c] {
        within(lasp.joined()).await.expect("joins");
    }
    [a, b, c]
}

#[tokio::test]
async fn updates_on_every_node_reach_every_node() -> Result<(), Error> {
    for membership in [Membership::HYPARVIEW, Membership::FULL] {
        let nodes = cluster(membership).await;
        for lasp in &nodes {
            lasp.gcounter("views").await?.increment(20).await?;
        }
        for lasp in &nodes {
            assert_eq!(within(lasp.gcounter("views").await?.read(AtLeast(60))).await?, 60);
        }
        for lasp in nodes {
            assert_eq!(lasp.shutdown().await, Stop::Shutdown);
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_update_is_done_when_others_hold_it_or_the_error_says_who_does() -> Result<(), Error> {
    let [a, b, c] = cluster(Membership::FULL).await;
    let ads = a.set::<i64>("ads").await?;
    let safely = ads.acknowledged_by(2, PATIENCE);
    within(safely.add(1)).await?;
    for node in [&b, &c] {
        assert_eq!(node.set::<i64>("ads").await?.value().await?, [1]);
    }
    let mut others = [b.me().await?.id, c.me().await?.id];
    others.sort_unstable();
    let told = within(a.update_acknowledged(ads.id(), Op::Add(2.into()), 1, PATIENCE)).await?;
    assert!(told.is_enough() && others.contains(&told.by[0]), "{told:?}");
    let few = within(ads.acknowledged_by(3, Duration::from_millis(300)).add(3)).await;
    let Err(Error::Unacknowledged(few)) = few else { panic!("{few:?}") };
    assert_eq!((&few.by[..], few.wanted, few.known), (&others[..], 3, 2));
    let text = Error::Unacknowledged(few).to_string();
    assert!(text.contains("2 of 3 nodes hold it") && text.contains("knows of 2 others"), "{text}");
    assert_eq!(ads.value().await?, [1, 2, 3], "what too few acknowledged is applied all the same");
    let own = a.local::<kind::Set<i64>>("own").await?;
    assert!(matches!(
        own.acknowledged_by(1, PATIENCE).add(1).await,
        Err(Error::Refused(RequestError::NotReplicated(_)))
    ));
    Ok(())
}

#[tokio::test]
async fn a_removal_on_one_node_retracts_what_another_derived() -> Result<(), Error> {
    let [a, b, c] = cluster(Membership::HYPARVIEW).await;
    let ads: Set<String> = a.set("ads").await?;
    let contracts: Set<(String, i64)> = b.set("contracts").await?;
    ads.add_all(["shoes", "hats", "cars"]).await?;
    contracts.add_all([("shoes".to_owned(), 5), ("cars".to_owned(), 3)]).await?;

    let ads_at_c: Set<String> = c.set("ads").await?;
    let contracts_at_c: Set<(String, i64)> = c.set("contracts").await?;
    let shown = ads_at_c.product(&contracts_at_c).filter(|(ad, (id, _))| ad == id).map(|(ad, _)| ad).await?;
    let joined = ads_at_c.join(&contracts_at_c, |ad| ad.clone(), |(id, _)| id.clone()).count().await?;
    assert_eq!(within(shown.read(AtLeast(2))).await?, ["cars", "shoes"]);
    assert_eq!(joined.value().await?, Some(2));

    let mut watch = shown.watch().await?;
    ads.remove("shoes").await?;
    let last = async {
        while let Some(ads) = watch.next().await? {
            if ads == ["cars"] {
                return Ok(true);
            }
        }
        Ok::<_, Error>(false)
    };
    assert!(within(last).await?);
    assert_eq!(joined.value().await?, Some(1));
    assert!(!shown.contains("shoes").await?);
    Ok(())
}

#[tokio::test]
async fn every_kind_of_variable_holds_what_is_written() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let counter = lasp.pncounter("n").await?;
    counter.increment(5).await?;
    counter.decrement(7).await?;
    assert_eq!(counter.value().await?, -2);
    let flag = lasp.flag("f").await?;
    assert!(!flag.value().await?);
    flag.raise().await?;
    assert!(flag.value().await?);
    let max = lasp.max::<i64>("max").await?;
    assert_eq!(max.value().await?, None);
    max.set(3).await?;
    max.set(1).await?;
    assert_eq!(max.value().await?, Some(3));
    let min = lasp.min::<u64>("min").await?;
    min.set(3).await?;
    min.set(1).await?;
    assert_eq!(min.value().await?, Some(1));
    let once = lasp.ivar::<String>("once").await?;
    once.set("x").await?;
    assert!(matches!(once.set("y").await, Err(Error::Refused(_))));
    assert_eq!(once.value().await?.as_deref(), Some("x"));
    let register = lasp.register::<String>("r").await?;
    register.set("old").await?;
    register.set("new").await?;
    assert_eq!(register.value().await?.as_deref(), Some("new"));
    let grow = lasp.gset::<Vec<i64>>("g").await?;
    grow.add(vec![1, 2]).await?;
    assert!(grow.contains(vec![1, 2]).await?);
    let status = lasp.gmap::<String, kind::Pair<kind::Flag, kind::Flag>>("status").await?;
    status.apply("n1", Op::Fst(Box::new(Op::Enable))).await?;
    assert_eq!(status.value().await?, [("n1".to_owned(), (true, false))]);
    Ok(())
}

#[tokio::test]
async fn every_causal_kind_holds_what_is_written_and_lets_go_of_it() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let removing = lasp.rwset::<i64>("rw").await?;
    removing.add_all([1, 2]).await?;
    removing.remove(2).await?;
    assert_eq!(removing.value().await?, [1]);
    assert_eq!(removing.map(|n| n * 2).await?.value().await?, [2]);
    let once = lasp.twopset::<i64>("twop").await?;
    once.remove(1).await?;
    once.add_all([1, 2]).await?;
    assert_eq!(once.read(Reaches([2])).await?, [2]);
    let flags = (lasp.ewflag("ew").await?, lasp.dwflag("dw").await?);
    assert_eq!((flags.0.value().await?, flags.1.value().await?), (false, true));
    flags.0.enable().await?;
    flags.1.disable().await?;
    assert!(flags.0.read(Reaches(true)).await?);
    assert!(!flags.1.read(Reaches(false)).await?);
    flags.0.disable().await?;
    assert!(!flags.0.value().await?);
    let register = lasp.mvregister::<String>("mv").await?;
    register.set("a").await?;
    register.set("b").await?;
    assert_eq!(register.value().await?, ["b"]);
    register.clear().await?;
    assert!(register.value().await?.is_empty());
    let notes = lasp.mvmap::<String, i64>("notes").await?;
    notes.set("x", 1).await?;
    notes.set("y", 2).await?;
    notes.remove("x").await?;
    assert_eq!(notes.value().await?, [("y".to_owned(), vec![2])]);
    let nested = lasp.awmap::<String, kind::Pair<kind::EwFlag, kind::AwMap<i64, kind::Set<i64>>>>("nested").await?;
    nested.apply("k", Op::Fst(Box::new(Op::Enable))).await?;
    nested.apply("k", Op::Snd(Box::new(Op::Apply(1.into(), Box::new(Op::Add(7.into())))))).await?;
    assert_eq!(nested.value().await?, [("k".to_owned(), (true, vec![(1, vec![7])]))]);
    assert_eq!(nested.keys().await?.value().await?, ["k"]);
    assert!(nested.contains_key("k").await?);
    nested.clear().await?;
    assert!(nested.value().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn graphs_hold_vertices_and_edges_and_refuse_what_they_must() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let edge = || [("a", "b")];
    let grown = lasp.ggraph::<String>("grown").await?;
    grown.add_edges(edge()).await?;
    assert_eq!(grown.value().await?.vertices, ["a", "b"]);
    let strict = lasp.twopgraph::<String>("strict").await?;
    assert!(matches!(strict.add_edges(edge()).await, Err(Error::Refused(_))));
    strict.add_vertices(["a", "b"]).await?;
    strict.add_edge("a", "b").await?;
    assert!(matches!(strict.remove_vertex("a").await, Err(Error::Refused(_))));
    strict.remove_edge("a", "b").await?;
    strict.remove_vertex("a").await?;
    assert!(!strict.contains_vertex("a").await?);
    let hiding = lasp.awgraph::<String>("hiding").await?;
    hiding.add_edges(edge()).await?;
    let (vertices, edges) = (hiding.vertices().await?, hiding.edges().await?);
    assert!(edges.value().await?.is_empty());
    hiding.add_vertices(["a", "b"]).await?;
    assert_eq!(vertices.value().await?, ["a", "b"]);
    assert_eq!(edges.value().await?, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(hiding.value().await?.edges, edges.value().await?);
    Ok(())
}

#[tokio::test]
async fn rights_to_a_bounded_counter_are_given_to_a_member_by_its_id_or_address() -> Result<(), Error> {
    let [a, b, c] = cluster(Membership::FULL).await;
    let stock = a.bcounter("stock").await?;
    stock.increment(10).await?;
    assert!(matches!(stock.transfer(1, "nobody").await, Err(Error::Refused(_))));
    stock.transfer(3, b.me().await?.addr.as_str()).await?;
    stock.transfer(2, c.me().await?.to_string()).await?;
    for (lasp, rights) in [(&b, 3), (&c, 2)] {
        let stock = lasp.bcounter("stock").await?;
        within(async {
            while stock.decrement(rights).await.is_err() {
                lasp.sleep(Duration::from_millis(5)).await?;
            }
            Ok::<(), Error>(())
        })
        .await?;
        assert!(matches!(stock.decrement(1).await, Err(Error::Refused(_))));
    }
    assert_eq!(sold_out(&stock).await?, 5);
    Ok(())
}

/// Waits until all that could be sold is; what is left.
async fn sold_out(stock: &lasp::BCounter) -> Result<u64, Error> {
    let mut watch = stock.watch().await?;
    let mut value = stock.value().await?;
    while value > 5 {
        value = within(watch.next()).await?.expect("the node runs");
    }
    Ok(value)
}

#[tokio::test]
async fn what_the_node_refuses_is_an_error_and_changes_nothing() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let views = lasp.gcounter("views").await?;
    assert!(matches!(lasp.set::<String>("views").await, Err(Error::Refused(_))));
    assert!(matches!(lasp.update(views.id(), Op::Add(Value::Int(1))).await, Err(Error::Refused(_))));
    assert!(matches!(lasp.gcounter("").await, Err(Error::Name(_))));
    assert_eq!(views.value().await?, 0);
    let texts: Set<String> = lasp.set("mixed").await?;
    texts.add("text").await?;
    let numbers: Set<i64> = lasp.set("mixed").await?;
    assert!(matches!(numbers.value().await, Err(Error::Value(_))));
    Ok(())
}

#[tokio::test]
async fn pipelined_updates_are_applied_in_order_and_all_answered() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let set: Set<i64> = lasp.set("s").await?;
    let mut answers = Vec::new();
    for n in 0..5_000 {
        answers.push(set.add(n).queue().await?);
        answers.push(set.remove(n - 1).queue().await?);
    }
    for answer in answers {
        answer.await?;
    }
    assert_eq!(set.value().await?, [4_999]);
    Ok(())
}

#[tokio::test]
async fn more_askers_than_room_all_get_their_turn() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let views = lasp.gcounter("views").await?;
    let mut tasks = Vec::new();
    for _ in 0..3_000 {
        let views = views.clone();
        tasks.push(tokio::spawn(async move { views.increment(1).await }));
    }
    for task in tasks {
        within(task).await.expect("no panic")?;
    }
    assert_eq!(views.value().await?, 3_000);
    Ok(())
}

#[tokio::test]
async fn an_invariant_acts_once_its_threshold_is_reached() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let views = lasp.gcounter("views").await?;
    let ads: Set<String> = lasp.set("ads").await?;
    ads.add("shoes").await?;
    let (stock, counter) = (ads.clone(), views.clone());
    lasp.spawn(async move {
        let _ = counter.invariant(AtLeast(3), || async { stock.remove("shoes").await }).await;
    });
    let mut gone = ads.watch().await?;
    views.increment(2).await?;
    assert!(ads.contains("shoes").await?);
    views.increment(1).await?;
    assert_eq!(within(gone.next()).await?, Some(vec![]));
    Ok(())
}

#[tokio::test]
async fn a_program_installed_at_one_node_runs_at_all_until_it_is_removed() -> Result<(), Error> {
    let [a, b, c] = cluster(Membership::FULL).await;
    let refused = a.install("doubles", "S = declare(\"n\", set), update(S, {add, 1}).").await;
    assert!(matches!(refused, Err(Error::Refused(RequestError::Program(ProgramError::Rejected(_))))), "{refused:?}");
    let source = "A = declare(\"n\", set), B = declare(\"d\", set), map(A, fun(X) -> X * 2 end, B).";
    assert_eq!(a.install("doubles", source).await?.version, 1);
    let programs = |lasp: &Lasp| lasp.programs();
    for lasp in [&b, &c] {
        while programs(lasp).await?.is_empty() {
            lasp.sleep(Duration::from_millis(5)).await?;
        }
        let all = programs(lasp).await?;
        assert_eq!((all[0].name.as_str(), all[0].version, &all[0].state), ("doubles", 1, &ProgramState::Running));
    }
    c.set::<i64>("n").await?.add(21).await?;
    assert_eq!(within(b.set::<i64>("d").await?.read(AtLeast(1))).await?, [42]);
    b.uninstall("doubles").await?;
    while !programs(&a).await?.is_empty() {
        a.sleep(Duration::from_millis(5)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_enforced_once_is_the_turn_of_one_node() -> Result<(), Error> {
    let nodes = cluster(Membership::FULL).await;
    let turns = Arc::new(Mutex::new(0));
    for lasp in &nodes {
        let (node, turns) = (lasp.clone(), turns.clone());
        let (views, prizes) = (lasp.gcounter("views").await?, lasp.gcounter("prizes").await?);
        lasp.spawn(async move {
            let Ok(Some(turn)) = node.enforce_once("prize", views.id(), AtLeast(3)).await else { return };
            *turns.lock().expect("whole") += 1;
            turn.update(prizes.id(), Op::Increment(1)).await.expect("it is due");
            turn.done().await.expect("it is due");
        });
    }
    nodes[1].gcounter("views").await?.increment(3).await?;
    for lasp in &nodes {
        assert_eq!(within(lasp.gcounter("prizes").await?.read(AtLeast(1))).await?, 1);
    }
    assert_eq!(*turns.lock().expect("whole"), 1);
    Ok(())
}

#[tokio::test]
async fn a_light_node_hears_only_what_it_is_interested_in() -> Result<(), Error> {
    let a = start(Membership::FULL, None).await;
    let contact = a.me().await?.addr;
    let builder = Lasp::builder().cluster("test").listen("127.0.0.1:0").join([contact.as_str()]);
    let b = builder.membership(Membership::FULL).interests(["ads/*"]).start().await.expect("starts");
    within(b.joined()).await?;
    a.gcounter("other").await?.increment(1).await?;
    a.gcounter("ads/1").await?.increment(1).await?;
    assert_eq!(within(b.gcounter("ads/1").await?.read(AtLeast(1))).await?, 1);
    assert_eq!(b.gcounter("other").await?.value().await?, 0);
    b.interested(Interests::All).await?;
    assert_eq!(within(b.gcounter("other").await?.read(AtLeast(1))).await?, 1);
    Ok(())
}

#[tokio::test]
async fn dropping_the_last_handle_stops_the_node_and_frees_its_port() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let addr = lasp.me().await?.addr;
    drop(lasp);
    let again = async {
        while tokio::net::TcpListener::bind(addr.as_str()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    within(again).await;
    Ok(())
}

#[tokio::test]
async fn after_shutdown_everything_open_and_everything_new_fails() -> Result<(), Error> {
    let lasp = start(Membership::FULL, None).await;
    let views = lasp.gcounter("views").await?;
    let waiting = views.read(AtLeast(1)).queue().await?;
    assert_eq!(within(lasp.shutdown()).await, Stop::Shutdown);
    assert_eq!(waiting.await, Err(Error::Stopped(Stop::Shutdown)));
    assert_eq!(views.increment(1).await, Err(Error::Stopped(Stop::Shutdown)));
    assert_eq!(lasp.joined().await, Err(Error::Stopped(Stop::Shutdown)));
    Ok(())
}

#[tokio::test]
async fn a_node_that_leaves_is_missed_at_once() -> Result<(), Error> {
    let [a, b, c] = cluster(Membership::FULL).await;
    let gone = c.me().await?.id;
    within(c.shutdown()).await;
    for lasp in [a, b] {
        let left = async {
            while lasp.members().await?.active.iter().any(|peer| peer.id == gone) {
                lasp.sleep(Duration::from_millis(5)).await?;
            }
            Ok::<(), Error>(())
        };
        within(left).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_second_node_of_the_same_name_stops_and_says_who_holds_it() -> Result<(), Error> {
    let a = start(Membership::FULL, None).await;
    let contact = a.me().await?.addr;
    let named = |listen: &str| {
        Lasp::builder()
            .membership(Membership::FULL)
            .cluster("test")
            .name("twin")
            .listen(listen)
            .join([contact.as_str()])
    };
    let first = named("127.0.0.1:0").start().await.expect("starts");
    within(first.joined()).await?;
    first.gcounter("views").await?.increment(1).await?;
    let second = named("127.0.0.1:0").start().await.expect("starts");
    assert_eq!(within(second.stopped()).await, Stop::IdentityInUse(first.me().await?));
    first.gcounter("views").await?.increment(1).await?;
    assert_eq!(within(a.gcounter("views").await?.read(AtLeast(2))).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_node_that_cannot_start_says_what_where_and_what_to_do() {
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = holder.local_addr().expect("bound").to_string();
    let message = |result: Result<Lasp, StartError>| result.expect_err("refused").to_string();
    let taken = message(Lasp::builder().listen(&addr).start().await);
    assert!(taken.starts_with(&format!("cannot listen at {addr}: ")), "{taken}");
    assert!(taken.ends_with("stop it, or choose another port (0 takes a free one)"), "{taken}");
    let unspecified = message(Lasp::builder().listen("0.0.0.0:0").start().await);
    assert!(unspecified.contains("give an address to advertise"), "{unspecified}");
    let contact = message(Lasp::builder().listen("127.0.0.1:0").join(["nowhere"]).start().await);
    assert_eq!(contact, "cannot join through \"nowhere\": it is not HOST:PORT");
}

#[test]
fn the_same_program_runs_without_an_executor_in_virtual_time() {
    let (mut virtual_node, lasp) = Virtual::new();
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    virtual_node.host.spawn(async move {
        let note = |text: String| lines.lock().expect("no panic").push(text);
        let views: GCounter = lasp.gcounter("views").await.expect("declares");
        let reached = views.clone();
        let (handle, reader_lines) = (lasp.clone(), Arc::clone(&lines));
        lasp.spawn(async move {
            let value = reached.read(AtLeast(2)).await.expect("reaches");
            reader_lines.lock().expect("no panic").push(format!("read {value} at {}", handle.now()));
        });
        for _ in 0..2 {
            lasp.sleep(Duration::from_secs(60)).await.expect("sleeps");
            views.increment(1).await.expect("applies");
            note(format!("incremented at {}", lasp.now()));
        }
    });
    virtual_node.serve();
    for _ in 0..3 {
        virtual_node.pass(Duration::from_secs(60));
    }
    let expected = ["incremented at 60.000000s", "incremented at 120.000000s", "read 2 at 120.000000s"];
    let mut lines = log.lock().expect("no panic").clone();
    lines.sort(); // the reader may be woken before or after its writer
    assert_eq!(lines, {
        let mut expected = expected;
        expected.sort_unstable();
        expected
    });
    assert_eq!(virtual_node.host.running_tasks(), 0);
}

#[test]
fn a_dropped_wait_is_withdrawn_and_a_late_answer_meets_nobody() {
    let (mut virtual_node, lasp) = Virtual::new();
    let poll = |ask: &mut Ask<()>| Pin::new(ask).poll(&mut Context::from_waker(Waker::noop()));
    let mut sleep = lasp.sleep(Duration::from_secs(1));
    assert_eq!(poll(&mut sleep), Poll::Pending);
    virtual_node.serve();
    drop(sleep);
    let mut second = lasp.sleep(Duration::from_secs(5));
    assert_eq!(poll(&mut second), Poll::Pending); // takes over the slot
    virtual_node.serve();
    virtual_node.pass(Duration::from_secs(2));
    assert_eq!(poll(&mut second), Poll::Pending);
    virtual_node.pass(Duration::from_secs(3));
    assert_eq!(poll(&mut second), Poll::Ready(Ok(())));
}
