// Package scenario runs the scenarios of compat/scenarios.json over any client that fits Client, and says of each how it went.
package scenario

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// ErrNoSuchCall is what an adapter answers where its client has no call for what is asked.
var ErrNoSuchCall = errors.New("the client has no such call")

// Offsets that name an end of the log.
const (
	Latest   int64 = -1
	Earliest int64 = -2
)

var (
	Bootstrap = os.Getenv("BOOTSTRAP")
	Prefix    = os.Getenv("PREFIX")
	baseTime  = time.Now().Add(-time.Hour).Truncate(time.Second).UnixMilli()
)

type Header struct {
	Key   string
	Value []byte
}

// Record has Time in milliseconds; a nil key or value is null.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Time       int64
}

// Options of a producer: Codec "none" to "zstd", Acks "0", "1" or "all".
type Options struct {
	Codec, Acks string
	Idempotent  bool
}

type Topic struct {
	Leaders []int32
	Brokers int
}

type GroupMember struct {
	ClientID   string
	Partitions []int32
}

type Group struct {
	State   string
	Members []GroupMember
}

type Reader interface {
	// Read waits until at least one record is there or the time is over.
	Read(wait time.Duration) ([]Record, error)
	Close() error
}

type Member interface {
	Reader
	// Assigned is how many partitions the member has now.
	Assigned() int
	Commit(topic string, partition int32, offset int64) error
}

// Client is what an adapter makes of its library. Close of a Member leaves the group.
type Client interface {
	CreateTopic(name string, partitions int, configs map[string]string) error
	IsTopicExists(err error) bool
	DeleteTopic(name string) error
	Topics() ([]string, error)
	Topic(name string) (Topic, error)
	TopicConfig(name, key string) (string, error)
	AlterTopicConfig(name, key, value string) error
	AddPartitions(name string, total int) error
	Produce(topic string, partition int32, records []Record, o Options) ([]int64, error)
	Consume(topic string, partition int32, offset int64) (Reader, error)
	// OffsetAt is the first offset whose time is at or after ms; -1 where there is none. Earliest and Latest name the ends.
	OffsetAt(topic string, partition int32, ms int64) (int64, error)
	DeleteRecords(topic string, partition int32, before int64) error
	Join(group, topic, clientID string) (Member, error)
	Groups() ([]string, error)
	Group(group string) (Group, error)
	Committed(group, topic string, partition int32) (int64, error)
	DeleteGroup(group string) error
}

const count = 100

// records is the record set: nulls, empties, multi-byte text, bytes that are no text, headers that repeat.
var records = func() []Record {
	all := make([]Record, count)
	for i := range all {
		one := &all[i]
		one.Time = baseTime + int64(i)*1000
		switch {
		case i%5 == 0:
		case i%10 == 1:
			one.Key = []byte{}
		default:
			one.Key = fmt.Appendf(nil, "key-%d", i%10)
		}
		switch {
		case i%7 == 0:
		case i%7 == 1:
			one.Value = []byte{}
		default:
			one.Value = append([]byte(strings.Repeat(fmt.Sprintf("value %d ß値🜁 ", i), i)), 0, 0xff)
		}
		one.Headers = [][]Header{
			nil,
			{{"h", fmt.Appendf(nil, "v%d", i)}},
			{{"dup", []byte("1")}, {"dup", []byte("2")}, {"utf-ß", []byte("値")}},
			{{"empty", []byte{}}, {"null", nil}},
		}[i%4]
	}
	return all
}()

type failure string

func check(condition bool, format string, args ...any) {
	if !condition {
		panic(failure(fmt.Sprintf(format, args...)))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

// EmptyIsNull is set for a client that reads a field of no bytes as one that is null.
var EmptyIsNull = false

func sameBytes(a, b []byte) bool {
	return (EmptyIsNull || (a == nil) == (b == nil)) && bytes.Equal(a, b)
}

func sameRecord(a, b Record) bool {
	return sameBytes(a.Key, b.Key) && sameBytes(a.Value, b.Value) && a.Time == b.Time && slices.EqualFunc(a.Headers, b.Headers, func(x, y Header) bool {
		return x.Key == y.Key && sameBytes(x.Value, y.Value)
	})
}

func same(read, sent []Record) {
	check(len(read) == len(sent), "%d records, %d expected", len(read), len(sent))
	for i := range read {
		check(sameRecord(read[i], sent[i]), "record %d is %.200s, sent was %.200s", i, fmt.Sprintf("%#v", read[i]), fmt.Sprintf("%#v", sent[i]))
	}
}

// take reads until it has n records or 40 seconds are over.
func take(r Reader, n int) []Record {
	var all []Record
	for end := time.Now().Add(40 * time.Second); len(all) < n && time.Now().Before(end); {
		all = append(all, got(r.Read(time.Second))...)
	}
	return all
}

type suite struct{ Client }

func (s suite) topic(name string, partitions int) string {
	full := Prefix + "-" + name
	must(s.CreateTopic(full, partitions, map[string]string{"retention.ms": "-1"}))
	return full
}

func (s suite) filled(name string) string {
	full := s.topic(name, 1)
	got(s.Produce(full, 0, records, Options{Codec: "none", Acks: "all"}))
	return full
}

func (s suite) read(topic string, offset int64, n int) []Record {
	reader := got(s.Consume(topic, 0, offset))
	defer reader.Close()
	return take(reader, n)
}

func (s suite) roundTrip(name string, o Options) {
	topic := s.topic(name, 1)
	offsets := got(s.Produce(topic, 0, records, o))
	same(s.read(topic, Earliest, count), records)
	if o.Acks == "0" || offsets == nil {
		return
	}
	for i, offset := range offsets {
		check(offset == int64(i), "record %d was told offset %d", i, offset)
	}
}

func (s suite) create() {
	name := s.topic("create", 3)
	err := s.CreateTopic(name, 3, nil)
	check(err != nil && s.IsTopicExists(err), "second creation: %v", err)
	check(slices.Contains(got(s.Topics()), name), "not listed")
}

func (s suite) describe() {
	name := Prefix + "-create"
	topic := got(s.Topic(name))
	check(len(topic.Leaders) == 3, "%d partitions", len(topic.Leaders))
	check(topic.Brokers == 1, "%d brokers", topic.Brokers)
	for _, leader := range topic.Leaders {
		check(leader == topic.Leaders[0] && leader >= 0, "leaders %v", topic.Leaders)
	}
	check(got(s.TopicConfig(name, "retention.ms")) == "-1", "retention.ms")
}

func (s suite) alterConfig() {
	name := Prefix + "-create"
	must(s.AlterTopicConfig(name, "retention.ms", "3600000"))
	check(got(s.TopicConfig(name, "retention.ms")) == "3600000", "retention.ms")
}

func (s suite) addPartitions() {
	name := Prefix + "-create"
	must(s.AddPartitions(name, 5))
	check(len(got(s.Topic(name)).Leaders) == 5, "partitions")
}

func (s suite) large() {
	name := s.topic("large", 1)
	one := Record{Value: make([]byte, 900_000), Time: baseTime}
	rand.Read(one.Value)
	got(s.Produce(name, 0, []Record{one}, Options{Codec: "none", Acks: "all"}))
	same(s.read(name, Earliest, 1), []Record{one})
}

func (s suite) many() {
	name := s.topic("many", 4)
	text := func(partition int32, i int) string { return strings.Repeat(fmt.Sprintf("%d %d ", partition, i), 125) }
	for partition := range int32(4) {
		for start := 0; start < 2500; start += 500 {
			batch := make([]Record, 500)
			for i := range batch {
				batch[i] = Record{Value: []byte(text(partition, start+i)), Time: baseTime}
			}
			got(s.Produce(name, partition, batch, Options{Codec: "none", Acks: "all"}))
		}
	}
	member := got(s.Join(Prefix+"-many", name, "one"))
	defer member.Close()
	var next [4]int
	for _, record := range take(member, 10_000) {
		var partition, i int
		got(fmt.Sscanf(string(record.Value), "%d %d", &partition, &i))
		check(i == next[partition], "partition %d: record %d came where %d was next", partition, i, next[partition])
		check(string(record.Value) == text(int32(partition), i), "value %.50s", record.Value)
		next[partition]++
	}
	check(next == [4]int{2500, 2500, 2500, 2500}, "%v records", next)
}

func (s suite) fromOffset() { same(s.read(s.filled("from-offset"), 40, count-40), records[40:]) }

func (s suite) fromEnd() {
	name := s.filled("from-end")
	reader := got(s.Consume(name, 0, Latest))
	defer reader.Close()
	check(len(got(reader.Read(2*time.Second))) == 0, "a record from before")
	got(s.Produce(name, 0, records[7:8], Options{Codec: "none", Acks: "all"}))
	same(take(reader, 1), records[7:8])
}

func (s suite) fromTimestamp() {
	name := s.filled("from-timestamp")
	offset := got(s.OffsetAt(name, 0, baseTime+49_500))
	check(offset == 50, "offset %d", offset)
	same(s.read(name, offset, count-50), records[50:])
}

func (s suite) listOffsets() {
	name := s.filled("list-offsets")
	for _, one := range [][2]int64{{Earliest, 0}, {Latest, count}, {baseTime + 10_000_000, -1}} {
		offset := got(s.OffsetAt(name, 0, one[0]))
		check(offset == one[1], "%d: offset %d, %d expected", one[0], offset, one[1])
	}
}

func (s suite) deleteRecords() {
	name := s.filled("delete-records")
	must(s.DeleteRecords(name, 0, 30))
	offset := got(s.OffsetAt(name, 0, Earliest))
	check(offset == 30, "earliest is %d", offset)
	same(s.read(name, Earliest, count-30), records[30:])
}

func (s suite) commitResume() {
	name, group := s.filled("commit-resume"), Prefix+"-commit-resume"
	one := got(s.Join(group, name, "one"))
	same(take(one, count), records)
	must(one.Commit(name, 0, 60))
	must(one.Close())
	two := got(s.Join(group, name, "two"))
	defer two.Close()
	same(take(two, count-60), records[60:])
}

func (s suite) groupJoinLeave() {
	name, group := s.topic("group-join-leave", 4), Prefix+"-group-join-leave"
	var seen []string
	poll := func(members ...Member) {
		for _, one := range members {
			for _, record := range got(one.Read(100 * time.Millisecond)) {
				seen = append(seen, string(record.Value))
			}
		}
	}
	until := func(what string, done func() bool, members ...Member) {
		for end := time.Now().Add(40 * time.Second); !done(); {
			poll(members...)
			check(time.Now().Before(end), "%s: seen %d, shares %v", what, len(seen), assigned(members))
		}
	}
	send := func(word string, n int) {
		for partition := range int32(4) {
			batch := make([]Record, n)
			for i := range batch {
				batch[i] = Record{Value: fmt.Appendf(nil, "%s-%d-%d", word, partition, i), Time: baseTime}
			}
			got(s.Produce(name, partition, batch, Options{Codec: "none", Acks: "all"}))
		}
	}
	one := got(s.Join(group, name, "one"))
	defer one.Close()
	until("first alone", func() bool { return one.Assigned() == 4 }, one)
	two := got(s.Join(group, name, "two"))
	until("second joined", func() bool { return one.Assigned() == 2 && two.Assigned() == 2 }, one, two)
	send("both", 25)
	until("both read", func() bool { return distinct(seen) == 100 }, one, two)
	for partition := range int32(4) {
		owner := one
		if owner.Commit(name, partition, 25) != nil {
			must(two.Commit(name, partition, 25))
		}
	}
	must(two.Close())
	until("second left", func() bool { return one.Assigned() == 4 }, one)
	send("late", 1)
	until("first reads on", func() bool { return distinct(seen) == 104 }, one)
}

func assigned(members []Member) (shares []int) {
	for _, one := range members {
		shares = append(shares, one.Assigned())
	}
	return
}

func distinct(all []string) int {
	set := map[string]bool{}
	for _, one := range all {
		set[one] = true
	}
	return len(set)
}

func (s suite) describeGroup() {
	name, group := s.filled("describe-group"), Prefix+"-describe-group"
	one := got(s.Join(group, name, "describe-me"))
	defer one.Close()
	take(one, count)
	must(one.Commit(name, 0, count))
	check(slices.Contains(got(s.Groups()), group), "not listed")
	described := got(s.Group(group))
	check(described.State == "Stable", "state %s", described.State)
	check(len(described.Members) == 1, "%d members", len(described.Members))
	check(described.Members[0].ClientID == "describe-me", "client id %s", described.Members[0].ClientID)
	check(slices.Equal(described.Members[0].Partitions, []int32{0}), "assignment %v", described.Members[0].Partitions)
	offset := got(s.Committed(group, name, 0))
	check(offset == count, "committed %d", offset)
}

func (s suite) deleteGroup() {
	group := Prefix + "-describe-group"
	must(s.DeleteGroup(group))
	check(!slices.Contains(got(s.Groups()), group), "still listed")
}

func (s suite) deleteTopic() {
	name := s.topic("delete-topic", 1)
	must(s.DeleteTopic(name))
	check(!slices.Contains(got(s.Topics()), name), "still listed")
}

// Run runs every scenario, or those named on the command line.
func Run(client Client) {
	s := suite{client}
	trip := func(name string, o Options) func() { return func() { s.roundTrip(name, o) } }
	for _, one := range []struct {
		name string
		run  func()
	}{
		{"create", s.create},
		{"describe", s.describe},
		{"alter-config", s.alterConfig},
		{"add-partitions", s.addPartitions},
		{"none", trip("none", Options{Codec: "none", Acks: "all"})},
		{"gzip", trip("gzip", Options{Codec: "gzip", Acks: "all"})},
		{"snappy", trip("snappy", Options{Codec: "snappy", Acks: "all"})},
		{"lz4", trip("lz4", Options{Codec: "lz4", Acks: "all"})},
		{"zstd", trip("zstd", Options{Codec: "zstd", Acks: "all"})},
		{"acks-0", trip("acks-0", Options{Codec: "none", Acks: "0"})},
		{"acks-1", trip("acks-1", Options{Codec: "none", Acks: "1"})},
		{"acks-all", trip("acks-all", Options{Codec: "none", Acks: "all"})},
		{"idempotent", trip("idempotent", Options{Codec: "none", Acks: "all", Idempotent: true})},
		{"large", s.large},
		{"many", s.many},
		{"from-offset", s.fromOffset},
		{"from-end", s.fromEnd},
		{"from-timestamp", s.fromTimestamp},
		{"list-offsets", s.listOffsets},
		{"delete-records", s.deleteRecords},
		{"commit-resume", s.commitResume},
		{"group-join-leave", s.groupJoinLeave},
		{"describe-group", s.describeGroup},
		{"delete-group", s.deleteGroup},
		{"delete-topic", s.deleteTopic},
		{"txn-commit", s.txnCommit},
		{"txn-abort", s.txnAbort},
		{"txn-fenced", s.txnFenced},
		{"txn-offsets", s.txnOffsets},
		{"txn-timeout", s.txnTimeout},
	} {
		if len(os.Args) < 2 || slices.Contains(os.Args[1:], one.name) {
			tell(one.name, one.run)
		}
	}
}

func tell(name string, run func()) {
	defer func() {
		said := recover()
		err, isError := said.(error)
		why := strings.ReplaceAll(fmt.Sprint(said), "\n", " ")
		switch {
		case said == nil:
			fmt.Println("ok " + name)
		case isError && errors.Is(err, ErrNoSuchCall):
			fmt.Println("n/a " + name + ": " + why)
		default:
			fmt.Println("FAIL " + name + ": " + why)
		}
	}()
	run()
}
