// Command clients drives an API server through client-go and controller-runtime as their own users do, one scenario at a
// time, and fails with what came out otherwise than on a real kube-apiserver.
//
//	KUBECONFIG=... clients [-compacts] SCENARIO
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// secondsMax bounds a scenario: each takes a few seconds at most.
const secondsMax = 90 * time.Second

var scenarios = map[string]func(context.Context, *environment) error{
	"access":       access,
	"apply":        apply,
	"discovery":    discover,
	"election":     election,
	"events":       postEvents,
	"informers":    follow,
	"manager":      manage,
	"metadata":     followMetadata,
	"protobuf":     writeProtobuf,
	"subresources": writeSubresources,
	"watches":      watchAndPage,
}

// environment is what a scenario works with: a server, and a namespace of its own on it.
type environment struct {
	config    *rest.Config
	client    kubernetes.Interface
	namespace string
	// compacts says that the server forgets its history after some hundred writes, so that 410 can be asked for.
	compacts bool
}

func main() {
	compacts := flag.Bool("compacts", false, "the server forgets its history after some hundred writes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Arg(0), *compacts); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", flag.Arg(0), err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, compacts bool) (err error) {
	scenario, known := scenarios[name]
	if !known {
		return fmt.Errorf("no such scenario; there are %s", strings.Join(slices.Sorted(maps.Keys(scenarios)), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, secondsMax)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS = -1 // a client-side limit would only make the scenarios slower
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "client-" + name + "-"}}
	namespace, err = client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	defer func() {
		// Not with ctx: what a scenario made goes in spite of its failure.
		gone := client.CoreV1().Namespaces().Delete(context.Background(), namespace.Name, metav1.DeleteOptions{})
		err = errors.Join(err, gone)
	}()
	return scenario(ctx, &environment{config, client, namespace.Name, compacts})
}

// eventually waits until look says true; an error of look ends the wait.
func eventually(ctx context.Context, what string, look func(context.Context) (bool, error)) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		ok, err := look(ctx)
		last = err
		return ok, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, errors.Join(err, last))
	}
	return nil
}

// expect turns a claim that does not hold into an error.
func expect(holds bool, format string, values ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf("expected "+format, values...)
}

// first returns the first error of several claims.
func first(claims ...error) error {
	for _, claim := range claims {
		if claim != nil {
			return claim
		}
	}
	return nil
}
