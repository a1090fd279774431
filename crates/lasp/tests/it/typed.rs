//! Rust types in variables, operators on them, and waiting for them.

use super::virtual_node::Virtual;
use lasp::{
    Aggregate, AtLeast, Collection as _, Error, Exceeds, MoreThan, Op, Reaches, Set, Threshold, Type, Value, kind,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::task::Poll;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
struct Ad {
    id: u64,
    text: String,
    price: f64,
    place: Option<Place>,
    tags: BTreeMap<String, Vec<i64>>,
}

#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
enum Place {
    Banner,
    Box { width: u32 },
}

fn ad(id: u64, text: &str, price: f64) -> Ad {
    Ad { id, text: text.to_owned(), price, place: Some(Place::Box { width: 3 }), tags: BTreeMap::new() }
}

fn on_a_node<T>(program: impl AsyncFnOnce(lasp::Lasp) -> Result<T, Error>) -> T {
    let (mut node, lasp) = Virtual::new();
    node.run(program(lasp)).expect("every request is served")
}

#[test]
fn structs_and_enums_are_elements() {
    on_a_node(async |lasp| {
        let ads: Set<Ad> = lasp.set("ads").await?;
        let (shoes, hats) = (ad(1, "shoes", 2.5), Ad { place: Some(Place::Banner), ..ad(2, "hats", 1.0) });
        ads.add_all([&shoes, &hats]).await?;
        ads.add(shoes.clone()).await?;
        assert_eq!(ads.value().await?, [shoes.clone(), hats.clone()]);
        assert!(ads.contains(&hats).await?);
        let cheap = ads.filter(|ad| ad.price < 2.0).map(|ad| (ad.id, ad.place)).await?;
        assert_eq!(cheap.value().await?, [(2, Some(Place::Banner))]);
        ads.remove(&hats).await?;
        assert_eq!(cheap.value().await?, []);
        Ok(())
    });
}

#[test]
fn what_has_no_value_is_refused_and_changes_nothing() {
    on_a_node(async |lasp| {
        let ads: Set<Ad> = lasp.set("ads").await?;
        assert!(matches!(ads.add(ad(1, "x", f64::NAN)).await, Err(Error::Element(_))));
        assert!(matches!(ads.add_all([ad(1, "x", 1.0), ad(2, "y", f64::INFINITY)]).await, Err(Error::Element(_))));
        assert!(matches!(ads.read(Reaches([f64::NAN])).await, Err(Error::Element(_))));
        assert_eq!(ads.value().await?, []);
        let numbers: Set<f64> = lasp.set("numbers").await?;
        numbers.add_all([0.0, 4.0]).await?;
        let inverse = numbers.map(|n| 1.0 / n).await?;
        assert_eq!(inverse.value().await?, [0.25], "the element whose image is no number is left out");
        Ok(())
    });
}

#[test]
fn numbers_beyond_64_bits_with_sign_are_kept() {
    on_a_node(async |lasp| {
        let numbers: Set<u64> = lasp.set("numbers").await?;
        numbers.add_all([u64::MAX, 1]).await?;
        assert_eq!(numbers.value().await?, [1, u64::MAX]);
        let halves = numbers.map(|n| n / 2).await?;
        assert_eq!(halves.value().await?, [0, u64::MAX / 2]);
        Ok(())
    });
}

#[test]
fn sets_are_combined() {
    on_a_node(async |lasp| {
        let ads: Set<String> = lasp.set("ads").await?;
        let sold: Set<String> = lasp.set("sold").await?;
        ads.add_all(["shoes", "hats", "cars"]).await?;
        sold.add_all(["hats", "boats"]).await?;
        let open = ads.difference(&sold).await?;
        assert_eq!(open.value().await?, ["cars", "shoes"]);
        assert_eq!(ads.intersection(&sold).await?.value().await?, ["hats"]);
        assert_eq!(ads.union(&sold).await?.value().await?.len(), 4);
        assert_eq!(ads.product(&sold).count().await?.value().await?, Some(6));
        let letters = ads.flat_map(|ad| ad.chars().next()).await?;
        assert_eq!(letters.value().await?, ['c', 'h', 's']);
        let rhymes = ads.join(&sold, |ad| ad.len(), |sold| sold.len()).await?;
        assert_eq!(
            rhymes.value().await?,
            [
                ("cars".to_owned(), "hats".to_owned()),
                ("hats".to_owned(), "hats".to_owned()),
                ("shoes".to_owned(), "boats".to_owned())
            ]
        );
        ads.remove("hats").await?;
        sold.add("cars").await?;
        assert_eq!(open.value().await?, ["shoes"]);
        Ok(())
    });
}

#[test]
fn elements_are_summed_up_whole_and_by_key() {
    on_a_node(async |lasp| {
        let sales: Set<(String, i64)> = lasp.set("sales").await?;
        let prices = sales.map(|(_, price)| price).await?;
        let (sum, mean) = (prices.sum().await?, prices.avg().await?);
        let (least, greatest) = (prices.min().await?, prices.max().await?);
        assert_eq!((sum.value().await?, mean.value().await?, least.value().await?), (Some(0), None, None));
        let sale = |ad: &str, price| (ad.to_owned(), price);
        sales.add_all([sale("shoes", 5), sale("shoes", 7), sale("hats", 3)]).await?;
        assert_eq!((sum.value().await?, mean.value().await?), (Some(15), Some(5.0)));
        assert_eq!((least.value().await?, greatest.value().await?), (Some(3), Some(7)));
        let product = prices.fold(1, |price, all| all * price).await?;
        let undone =
            prices.aggregate(Aggregate::invertible(1, |price, all| all * price, |price, all: i64| all / price));
        let undone = undone.await?;
        assert_eq!((product.value().await?, undone.value().await?), (Some(105), Some(105)));

        let groups = || sales.group_by(|(ad, _)| ad.clone());
        let price = |(_, price): &(String, i64)| *price;
        let counts = groups().count().await?;
        let most = groups().max(price).await?;
        let all = groups().aggregate(Aggregate::count().and(Aggregate::sum(price)).and(Aggregate::avg(price))).await?;
        assert_eq!(counts.value().await?, [("hats".to_owned(), 1), ("shoes".to_owned(), 2)]);
        assert_eq!(all.value().await?, [("hats".to_owned(), ((1, 3), 3.0)), ("shoes".to_owned(), ((2, 12), 6.0))]);
        // A table is a collection of its entries.
        let popular = counts.filter(|(_, count)| *count > 1).map(|(ad, _)| ad).await?;
        assert_eq!(popular.value().await?, ["shoes"]);
        assert_eq!(counts.keys().await?.value().await?, ["hats", "shoes"]);

        sales.remove(sale("shoes", 7)).await?;
        sales.remove(sale("hats", 3)).await?;
        assert_eq!((undone.value().await?, product.value().await?), (Some(5), Some(5)));
        assert_eq!((least.value().await?, sum.value().await?), (Some(5), Some(5)));
        assert_eq!(most.value().await?, [("shoes".to_owned(), 5)]);
        assert_eq!(popular.value().await?, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn what_a_fold_comes_to_travels_in_a_summary() {
    on_a_node(async |lasp| {
        let prices: Set<i64> = lasp.set("prices").await?;
        let total = lasp.summary::<i64>("total").await?;
        let least = lasp.summary::<i64>("least").await?;
        assert_eq!(total.value().await?, [0_i64; 0], "nobody has folded anything");
        let feed = prices.filter(|price| *price > 0).sum().derive_into(&total).await?;
        prices.min().derive_into(&least).await?.detach();
        assert_eq!((total.value().await?, least.value().await?), (vec![0], vec![]), "nothing has no least");
        let enough = total.read(AtLeast(12));
        let mut changes = total.watch().await?;
        prices.add_all([-1, 5, 7]).await?;
        assert_eq!(enough.await?, [12]);
        assert_eq!(changes.next().await?, Some(vec![12]));
        assert_eq!(total.read(Reaches(12)).await?, [12]);
        assert_eq!(least.read(Threshold::Bound).await?, [-1]);
        prices.remove(5).await?;
        assert_eq!(changes.next().await?, Some(vec![7]));
        let cheap = total.reached(AtLeast(3)).await?;
        assert!(cheap.value().await?);
        // Without its derivation it stays as it is.
        drop(feed);
        prices.add(100).await?;
        assert_eq!((total.value().await?, least.value().await?), (vec![7], vec![-1]));
        Ok(())
    });
}

#[test]
fn concurrent_results_are_read_apart_and_a_result_that_is_none_is_left_out() {
    on_a_node(async |lasp| {
        let total = lasp.summary::<i64>("total").await?;
        let concurrent = lasp::Output::Many(vec![2.into(), Value::atom("undefined"), 3.into()]);
        assert_eq!(total.read_output(&concurrent), Ok(vec![2, 3]));
        assert_eq!(total.read_output(&lasp::Output::Value(4.into())), Ok(vec![4]));
        assert!(matches!(total.read_output(&lasp::Output::Value("four".into())), Err(Error::Value(_))));
        Ok(())
    });
}

#[test]
fn only_folds_of_what_can_be_measured_are_derived_into_summaries() {
    on_a_node(async |lasp| {
        let total = lasp.summary::<i64>("total").await?;
        let views = lasp.gcounter("views").await?;
        let image = views.map(|views| views as i64).derive_into(&total).await;
        assert!(matches!(image, Err(Error::Refused(_))), "an image is no fold");
        let counts = lasp.gmap::<String, kind::GCounter>("counts").await?;
        let count = counts.count().derive_into(&total).await;
        assert!(matches!(count, Err(Error::Refused(_))), "it cannot be told how far a map has come");
        assert_eq!(total.value().await?, [0_i64; 0]);
        Ok(())
    });
}

#[test]
fn maps_have_keys_and_entries_and_are_collections() {
    on_a_node(async |lasp| {
        let views = lasp.gmap::<String, kind::GCounter>("views").await?;
        views.apply("shoes", Op::Increment(3)).await?;
        views.apply("hats", Op::Increment(1)).await?;
        let (keys, entries) = (views.keys().await?, views.entries().await?);
        let seen = views.filter(|(_, views)| *views > 2).map(|(ad, _)| ad).await?;
        assert_eq!(keys.value().await?, ["hats", "shoes"]);
        assert_eq!(entries.value().await?, [("hats".to_owned(), 1), ("shoes".to_owned(), 3)]);
        assert_eq!(seen.value().await?, ["shoes"]);
        views.apply("hats", Op::Increment(2)).await?;
        assert_eq!(seen.value().await?, ["hats", "shoes"]);
        assert!(views.contains_key("hats").await?);
        Ok(())
    });
}

#[test]
fn values_and_thresholds_are_derived_from_counters() {
    on_a_node(async |lasp| {
        let views = lasp.gcounter("views").await?;
        let left = views.map(|views| 10 - views as i64).await?;
        let enough = views.reached(AtLeast(3)).await?;
        assert_eq!((left.value().await?, enough.value().await?), (Some(10), false));
        let flag = lasp.flag("sold out").await?;
        views.reached(AtLeast(3)).derive_into(&flag).await?.detach();
        views.increment(4).await?;
        assert_eq!((left.value().await?, enough.value().await?, flag.value().await?), (Some(6), true, true));
        assert_eq!(left.map(|left| left.map(|left| left * 2)).await?.value().await?, Some(Some(12)));
        Ok(())
    });
}

#[test]
fn every_form_of_threshold_can_be_read() {
    on_a_node(async |lasp| {
        let ads: Set<String> = lasp.set("ads").await?;
        let views = lasp.pncounter("views").await?;
        let max = lasp.max::<i64>("max").await?;
        ads.add_all(["shoes", "hats"]).await?;
        views.increment(3).await?;
        max.set(7).await?;
        assert_eq!(ads.read(Reaches(["hats"])).await?, ["hats", "shoes"]);
        assert_eq!(ads.read(Exceeds(["hats"])).await?.len(), 2);
        assert_eq!(ads.read(AtLeast(2)).await?.len(), 2);
        assert_eq!(views.read(MoreThan(2)).await?, 3);
        assert_eq!(views.read(Reaches(3)).await?, 3);
        assert_eq!(max.read(Reaches(7)).await?, Some(7));
        assert_eq!(max.read(Threshold::Bound).await?, Some(7));
        assert!(matches!(views.read(Reaches("three")).await, Err(Error::Threshold(_))));
        assert!(matches!(lasp.read_any([]).await, Err(Error::Refused(_))));
        Ok(())
    });
}

#[test]
fn a_wait_ends_when_its_time_is_over_or_it_is_dropped() {
    let (mut node, lasp) = Virtual::new();
    let (views, ads) = node
        .run(async { Ok::<_, Error>((lasp.gcounter("views").await?, lasp.set::<String>("ads").await?)) })
        .expect("served");
    let mut read = views.read(AtLeast(3)).timeout(Duration::from_secs(5));
    assert_eq!(node.poll(&mut read), Poll::Pending);
    assert_eq!(node.node.graph().waiting(), 1);
    node.pass(Duration::from_secs(5));
    assert_eq!(node.poll(&mut read), Poll::Ready(Err(Error::TimedOut(Duration::from_secs(5)))));
    drop(read);
    node.serve();
    assert_eq!(node.node.graph().waiting(), 0);

    let mut read = views.read(AtLeast(3));
    let mut any = lasp.read_any([views.at(AtLeast(2)), ads.at(Reaches(["shoes"]))]);
    let mut needed = ads.wait_needed(AtLeast(5));
    assert!(node.poll(&mut read).is_pending() && node.poll(&mut any).is_pending());
    assert_eq!(node.poll(&mut needed), Poll::Pending);
    drop((read, any, needed));
    node.serve();
    assert_eq!(node.node.graph().waiting(), 0);
}

#[test]
fn the_first_of_several_conditions_is_told_and_the_others_are_forgotten() {
    let (mut node, lasp) = Virtual::new();
    let (views, ads) = node
        .run(async { Ok::<_, Error>((lasp.gcounter("views").await?, lasp.set::<String>("ads").await?)) })
        .expect("served");
    let mut any = lasp.read_any([views.at(AtLeast(2)), ads.at(Reaches(["shoes"]))]);
    assert!(node.poll(&mut any).is_pending());
    node.run(async { ads.add("shoes").await }).expect("served");
    let Poll::Ready(Ok(met)) = node.poll(&mut any) else { panic!("the second is met") };
    assert_eq!((met.index, ads.read_output(&met.output)), (1, Ok(vec!["shoes".to_owned()])));
    assert_eq!(node.node.graph().waiting(), 0);
}

#[test]
fn who_waits_to_be_needed_is_told_by_a_reader_who_wants_as_much() {
    let (mut node, lasp) = Virtual::new();
    let ads: Set<String> = node.run(lasp.set("ads")).expect("served");
    let mut needed = ads.wait_needed(AtLeast(2));
    assert!(node.poll(&mut needed).is_pending());
    let mut one = ads.read(AtLeast(1));
    assert!(node.poll(&mut one).is_pending() && node.poll(&mut needed).is_pending());
    let mut three = ads.read(AtLeast(3));
    assert!(node.poll(&mut three).is_pending());
    assert_eq!(node.poll(&mut needed), Poll::Ready(Ok(())));
}

#[test]
fn a_watch_skips_values_but_never_the_last_and_ends_when_it_is_dropped() {
    let (mut node, lasp) = Virtual::new();
    let ads: Set<i64> = node.run(lasp.set("ads")).expect("served");
    let mut watch = node.run(ads.watch()).expect("served");
    node.run(async {
        ads.add_all([1, 2]).await?;
        ads.remove(1).await
    })
    .expect("served");
    assert_eq!(node.run(watch.next()), Ok(Some(vec![2])));
    // What another program puts there is an error, and the next value is good again.
    let id = ads.id();
    node.run(lasp.update(id, Op::Add(Value::text("odd")))).expect("served");
    assert!(matches!(node.run(watch.next()), Err(Error::Value(_))));
    node.run(lasp.update(id, Op::Remove(Value::text("odd")))).expect("served");
    assert_eq!(node.run(watch.next()), Ok(Some(vec![2])));
    assert!(matches!(node.run(lasp.undeclare(id)), Err(Error::Refused(_))), "somebody watches it");
    drop(watch);
    node.serve();
    let local = node.run(lasp.local::<kind::Set<i64>>("mine")).expect("served");
    let watch = node.run(local.watch()).expect("served");
    assert!(node.run(local.undeclare()).is_err());
    drop(watch);
    assert_eq!(node.run(local.undeclare()), Ok(()));
}

#[test]
fn a_local_variable_has_no_replicated_namesake_and_is_forgotten_whole() {
    on_a_node(async |lasp| {
        let before = lasp.inspect(|node| (node.graph().vars().count(), node.fingerprint())).await?;
        let mine = lasp.local::<kind::Set<i64>>("mine").await?;
        mine.add(1).await?;
        assert_eq!(
            lasp.inspect(|node| node.fingerprint()).await?,
            before.1,
            "it does not count among what is compared"
        );
        assert!(matches!(lasp.declare("mine", Type::AwSet).await, Err(Error::Refused(_))));
        mine.undeclare().await?;
        assert_eq!(lasp.inspect(|node| (node.graph().vars().count(), node.fingerprint())).await?, before);
        assert!(matches!(mine.value().await, Err(Error::Refused(_))));
        assert_eq!(lasp.set::<i64>("mine").await?.value().await?, [0_i64; 0]);
        Ok(())
    });
}
