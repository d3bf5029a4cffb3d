package scenario

import "time"

// TransactionalProducer sends in transactions, one after the other. End says whether the broker agreed.
type TransactionalProducer interface {
	Begin() error
	Send(topic string, partition int32, records []Record) error
	End(commit bool) error
	Close() error
}

// Transactional is what a Client can do beside, where its library has transactions.
type Transactional interface {
	TransactionalProducer(id string, timeout time.Duration) (TransactionalProducer, error)
	// ConsumeCommitted reads from the beginning what is committed.
	ConsumeCommitted(topic string, partition int32) (Reader, error)
	// Copy reads n records of source as a member of the group, sends them to target and moves the group's offset, all in one transaction.
	Copy(id, group, source, target string, n int, commit bool) error
}

func (s suite) transactional() Transactional {
	client, is := s.Client.(Transactional)
	if !is {
		panic(ErrNoSuchCall)
	}
	return client
}

func (s suite) producer(name string, timeout time.Duration) TransactionalProducer {
	return got(s.transactional().TransactionalProducer(Prefix+"-"+name, timeout))
}

func (s suite) committed(topic string, partition int32, n int) []Record {
	reader := got(s.transactional().ConsumeCommitted(topic, partition))
	defer reader.Close()
	return take(reader, n)
}

func (s suite) nothingCommitted(topic string) {
	reader := got(s.transactional().ConsumeCommitted(topic, 0))
	defer reader.Close()
	seen := got(reader.Read(time.Second))
	check(len(seen) == 0, "%d records are seen before they are committed", len(seen))
}

func (s suite) txnCommit() {
	producer := s.producer("txn-commit", 30*time.Second)
	defer producer.Close()
	topic := s.topic("txn-commit", 2)
	must(producer.Begin())
	for partition := range int32(2) {
		must(producer.Send(topic, partition, records))
	}
	same(s.read(topic, Earliest, count), records)
	s.nothingCommitted(topic)
	must(producer.End(true))
	for partition := range int32(2) {
		same(s.committed(topic, partition, count), records)
		end := got(s.OffsetAt(topic, partition, Latest))
		check(end == count+1, "the end is %d, a marker stands behind %d records", end, count)
	}
}

func (s suite) txnAbort() {
	producer := s.producer("txn-abort", 30*time.Second)
	defer producer.Close()
	topic := s.topic("txn-abort", 1)
	must(producer.Begin())
	must(producer.Send(topic, 0, records[:40]))
	must(producer.End(false))
	must(producer.Begin())
	must(producer.Send(topic, 0, records[40:]))
	must(producer.End(true))
	same(s.committed(topic, 0, 60), records[40:])
	same(s.read(topic, Earliest, count), records)
}

func (s suite) txnFenced() {
	one := s.producer("txn-fenced", 30*time.Second)
	defer one.Close()
	topic := s.topic("txn-fenced", 1)
	must(one.Begin())
	must(one.Send(topic, 0, records[:10]))
	two := s.producer("txn-fenced", 30*time.Second)
	defer two.Close()
	must(two.Begin())
	must(two.Send(topic, 0, records[10:20]))
	check(one.End(true) != nil, "a producer that is fenced has committed")
	must(two.End(true))
	same(s.committed(topic, 0, 10), records[10:20])
}

func (s suite) txnOffsets() {
	client := s.transactional()
	source, target, group := s.filled("txn-offsets"), s.topic("txn-offsets-copy", 1), Prefix+"-txn-offsets"
	must(client.Copy(group, group, source, target, count, false))
	offset, err := s.Committed(group, source, 0)
	check(err != nil || offset <= 0, "%d is committed by a transaction that was aborted", offset)
	must(client.Copy(group, group, source, target, count, true))
	for end := time.Now().Add(60 * time.Second); got(s.Committed(group, source, 0)) != count; {
		check(time.Now().Before(end), "committed %d", got(s.Committed(group, source, 0)))
		time.Sleep(20 * time.Millisecond)
	}
	same(s.committed(target, 0, count), records)
}

func (s suite) txnTimeout() {
	slow, other := s.producer("txn-timeout", 4*time.Second), s.producer("txn-timeout-other", 30*time.Second)
	defer slow.Close()
	defer other.Close()
	topic := s.topic("txn-timeout", 1)
	must(slow.Begin())
	must(slow.Send(topic, 0, records[:10]))
	must(other.Begin())
	must(other.Send(topic, 0, records[10:20]))
	must(other.End(true))
	same(s.committed(topic, 0, 10), records[10:20])
	check(slow.End(true) != nil, "a transaction that timed out was committed")
}
