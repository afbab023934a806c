package main

import (
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// series are those of a test and those that recording rules have made, in memory.
type series struct {
	samples map[string][]chunks.Sample
	labels  map[string]labels.Labels
}

func newSeries() *series {
	return &series{samples: map[string][]chunks.Sample{}, labels: map[string]labels.Labels{}}
}

// load reads a line such as `up{job="a"} 1x10`: a value every interval, from zero on.
func (s *series) load(line string, interval time.Duration) error {
	named, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc(line)
	if err != nil {
		return err
	}
	for place, one := range values {
		if !one.Omitted {
			s.add(named, time.Duration(place)*interval, one.Value)
		}
	}
	return nil
}

func (s *series) add(named labels.Labels, at time.Duration, value float64) {
	key := named.String()
	s.labels[key] = named
	s.samples[key] = append(s.samples[key], point{at.Milliseconds(), value})
}

// Querier lets the engine read.  Samples after the moment that it asks about are never looked at.
func (s *series) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: s.selected}, nil
}

func (s *series) selected(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	keys := []string{}
	for key, named := range s.labels {
		if matchesAll(named, matchers) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	found := &found{}
	for _, key := range keys {
		found.series = append(found.series, storage.NewListSeries(s.labels[key], s.samples[key]))
	}
	return found
}

func matchesAll(named labels.Labels, matchers []*labels.Matcher) bool {
	for _, matcher := range matchers {
		if !matcher.Matches(named.Get(matcher.Name)) {
			return false
		}
	}
	return true
}

type found struct {
	series []storage.Series
	at     int
}

func (f *found) Next() bool                        { f.at++; return f.at <= len(f.series) }
func (f *found) At() storage.Series                { return f.series[f.at-1] }
func (f *found) Err() error                        { return nil }
func (f *found) Warnings() annotations.Annotations { return nil }

type point struct {
	at    int64
	value float64
}

func (p point) T() int64                      { return p.at }
func (p point) ST() int64                     { return 0 }
func (p point) F() float64                    { return p.value }
func (p point) H() *histogram.Histogram       { return nil }
func (p point) FH() *histogram.FloatHistogram { return nil }
func (p point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample           { return p }

var _ storage.Queryable = (*series)(nil)
