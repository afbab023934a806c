package main

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/prometheus/prometheus/model/labels"
)

type unitFile struct {
	RuleFiles []string       `yaml:"rule_files"`
	Interval  model.Duration `yaml:"evaluation_interval"`
	Tests     []unitGroup    `yaml:"tests"`
}

type unitGroup struct {
	Name     string         `yaml:"name"`
	Interval model.Duration `yaml:"interval"`
	Series   []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Alerts      []alertCase      `yaml:"alert_rule_test"`
	Expressions []expressionCase `yaml:"promql_expr_test"`
}

type alertCase struct {
	At       model.Duration `yaml:"eval_time"`
	Name     string         `yaml:"alertname"`
	Expected []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

type expressionCase struct {
	Expression string         `yaml:"expr"`
	At         model.Duration `yaml:"eval_time"`
	Expected   []struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	} `yaml:"exp_samples"`
}

// run evaluates all rules step by step and compares at the times that the cases name.
func (group *unitGroup) run(unit unitFile) []error {
	over := newSeries()
	for _, one := range group.Series {
		if err := over.load(one.Series+" "+one.Values, time.Duration(group.Interval)); err != nil {
			return []error{err}
		}
	}
	rules, err := newRules(unit.RuleFiles, over)
	if err != nil {
		return []error{err}
	}
	var problems []error
	step := time.Duration(unit.Interval)
	for at := time.Duration(0); at <= group.last(); at += step {
		if err := rules.evaluate(at); err != nil {
			return append(problems, err)
		}
		for _, wanted := range group.Alerts {
			if moment := time.Duration(wanted.At); at <= moment && moment < at+step {
				problems = append(problems, wanted.compare(rules)...)
			}
		}
	}
	for _, wanted := range group.Expressions {
		problems = append(problems, wanted.compare(rules)...)
	}
	return problems
}

func (group *unitGroup) last() time.Duration {
	last := time.Duration(0)
	for _, one := range group.Alerts {
		last = max(last, time.Duration(one.At))
	}
	for _, one := range group.Expressions {
		last = max(last, time.Duration(one.At))
	}
	return last
}

// compare says what fires and should not, or should and does not, with all labels and annotations.
func (wanted *alertCase) compare(rules *rules) []error {
	if !rules.has(wanted.Name) {
		return []error{fmt.Errorf("there is no alert called %s", wanted.Name)}
	}
	var firing, expected []string
	for _, one := range rules.active[wanted.Name] {
		if one.firing {
			firing = append(firing, one.labels.String()+" "+one.annotations.String())
		}
	}
	for _, one := range wanted.Expected {
		all := map[string]string{labels.AlertName: wanted.Name}
		for name, value := range one.Labels {
			all[name] = value
		}
		expected = append(expected, labels.FromMap(all).String()+" "+labels.FromMap(one.Annotations).String())
	}
	sort.Strings(firing)
	sort.Strings(expected)
	if slices.Equal(firing, expected) {
		return nil
	}
	return []error{fmt.Errorf("%s at %s:\n  expected %s\n  firing   %s", wanted.Name, wanted.At,
		strings.Join(expected, "\n           "), strings.Join(firing, "\n           "))}
}

func (wanted *expressionCase) compare(rules *rules) []error {
	vector, err := rules.query(wanted.Expression, time.Duration(wanted.At))
	if err != nil {
		return []error{err}
	}
	got := map[string]float64{}
	for _, sample := range vector {
		got[sample.Metric.String()] = sample.F
	}
	for _, one := range wanted.Expected {
		value, found := got[one.Labels]
		if !found || math.Abs(value-one.Value) > 1e-9*math.Max(1, math.Abs(one.Value)) {
			return []error{fmt.Errorf("%s at %s: expected %s %v, got %v",
				wanted.Expression, wanted.At, one.Labels, one.Value, got)}
		}
	}
	if len(got) != len(wanted.Expected) {
		return []error{fmt.Errorf("%s at %s: more than expected: %v", wanted.Expression, wanted.At, got)}
	}
	return nil
}
