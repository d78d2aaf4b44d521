package main

import (
	"context"
	"fmt"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	"k8s.io/utils/ptr"
)

const configMapsPath = "/configmaps?"

func createConfigMaps(ctx context.Context, env *environment, prefix string, count int) error {
	for number := range count {
		name := fmt.Sprintf("%s-%03d", prefix, number)
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"set": prefix}}}
		if _, err := env.client.CoreV1().ConfigMaps(env.namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// follow runs a shared informer: a streaming list, changes, and a cut that outlasts what the server remembers.
func follow(ctx context.Context, env *environment) error {
	if err := createConfigMaps(ctx, env, "old", 120); err != nil {
		return err
	}
	config, tap := tapped(env.config)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(env.namespace))
	configMaps := factory.Core().V1().ConfigMaps()
	var initial, added, updated, deleted atomic.Int64
	_, err = configMaps.Informer().AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(_ any, isInInitialList bool) {
			if isInInitialList {
				initial.Add(1)
			} else {
				added.Add(1)
			}
		},
		UpdateFunc: func(_, _ any) { updated.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer factory.Shutdown()
	defer cancel()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), configMaps.Informer().HasSynced) {
		return fmt.Errorf("the informer did not get its list; it asked %v", tap.asked)
	}
	streamed, listed := tap.count(configMapsPath, "sendInitialEvents=true"), tap.count(configMapsPath, "!watch=true")
	api := env.client.CoreV1().ConfigMaps(env.namespace)
	if err := createConfigMaps(ctx, env, "new", 1); err != nil {
		return err
	}
	if _, err := api.Patch(ctx, "old-000", types.MergePatchType, []byte(`{"data":{"a":"b"}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := api.Delete(ctx, "old-001", metav1.DeleteOptions{}); err != nil {
		return err
	}
	err = eventually(ctx, "three changes to be told", func(context.Context) (bool, error) {
		return added.Load() == 1 && updated.Load() == 1 && deleted.Load() == 1, nil
	})
	if err != nil {
		return err
	}
	tap.cut()
	if err := createConfigMaps(ctx, env, "cut", 150); err != nil {
		return err
	}
	if err := api.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "set=old"}); err != nil {
		return err
	}
	tap.heal()
	err = eventually(ctx, "the store to show the server's state after a cut", func(ctx context.Context) (bool, error) {
		return storeIsCurrent(ctx, env, configMaps.Lister().List)
	})
	relisted := tap.count(configMapsPath, "sendInitialEvents=true")
	return first(
		err,
		expect(initial.Load() >= 120, "the objects as an initial list, got %d", initial.Load()),
		expect(streamed == 1 && listed == 0, "one streaming list and no other, got %d and %d", streamed, listed),
		expect(!env.compacts || relisted == 1, "a list anew after 410, got %d of %v", relisted, tap.asked),
		expect(deleted.Load() == 120, "every deletion told once, got %d", deleted.Load()),
	)
}

func storeIsCurrent(ctx context.Context, env *environment, list func(labels.Selector) ([]*corev1.ConfigMap, error)) (bool, error) {
	direct, err := env.client.CoreV1().ConfigMaps(env.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	stored, err := list(labels.Everything())
	if err != nil || len(stored) != len(direct.Items) {
		return false, err
	}
	versions := map[string]string{}
	for _, object := range stored {
		versions[object.Name] = object.ResourceVersion
	}
	for _, object := range direct.Items {
		if versions[object.Name] != object.ResourceVersion {
			return false, nil
		}
	}
	return true, nil
}

// followMetadata runs an informer that holds metadata alone.
func followMetadata(ctx context.Context, env *environment) error {
	if err := createConfigMaps(ctx, env, "a", 3); err != nil {
		return err
	}
	config, tap := tapped(env.config)
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	resource := corev1.SchemeGroupVersion.WithResource("configmaps")
	factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, env.namespace, func(options *metav1.ListOptions) {
		options.LabelSelector = "set=a"
	})
	informer := factory.ForResource(resource)
	informer.Informer()
	ctx, cancel := context.WithCancel(ctx)
	defer factory.Shutdown()
	defer cancel()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return fmt.Errorf("the informer did not get its list; it asked %v", tap.asked)
	}
	object, err := informer.Lister().ByNamespace(env.namespace).Get("a-000")
	if err != nil {
		return err
	}
	partial, is := object.(*metav1.PartialObjectMetadata)
	// Without the label it no longer matches, so the watch has to say that it is deleted.
	if _, err := client.Resource(resource).Namespace(env.namespace).Patch(ctx, "a-000", types.MergePatchType,
		[]byte(`{"metadata":{"labels":{"set":null}}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	return first(
		expect(is && partial.Labels["set"] == "a", "metadata, got %v", object),
		expect(tap.count("sendInitialEvents=true") == 1 && tap.count("!watch=true", "GET ") == 0, "one streaming list, got %v", tap.asked),
		eventually(ctx, "an object that ceases to match to leave the store", func(context.Context) (bool, error) {
			_, err := informer.Lister().ByNamespace(env.namespace).Get("a-000")
			if apierrors.IsNotFound(err) {
				return true, nil
			}
			return false, err
		}),
	)
}

// watchAndPage reads in pages and watches by hand.
func watchAndPage(ctx context.Context, env *environment) error {
	if err := createConfigMaps(ctx, env, "p", 130); err != nil {
		return err
	}
	api := env.client.CoreV1().ConfigMaps(env.namespace)
	page, err := api.List(ctx, metav1.ListOptions{Limit: 40, LabelSelector: "set=p"})
	if err != nil {
		return err
	}
	pages, read := 0, 0
	reader := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		pages++
		return api.List(ctx, options)
	})
	reader.PageSize = 40
	err = reader.EachListItem(ctx, metav1.ListOptions{LabelSelector: "set=p"}, func(runtime.Object) error {
		read++
		return nil
	})
	if err != nil {
		return err
	}
	watcher, err := api.Watch(ctx, metav1.ListOptions{ResourceVersion: page.ResourceVersion, TimeoutSeconds: ptr.To[int64](1)})
	if err != nil {
		return err
	}
	if err := api.Delete(ctx, "p-000", metav1.DeleteOptions{}); err != nil {
		return err
	}
	event, open := <-watcher.ResultChan()
	_, more := <-watcher.ResultChan()
	claims := []error{
		expect(len(page.Items) == 40 && page.Continue != "", "a first page of 40, got %d", len(page.Items)),
		expect(pages == 4 && read == 130, "130 objects in 4 pages, got %d in %d", read, pages),
		expect(open && event.Type == watch.Deleted, "the deletion, got %v", event),
		expect(!more, "the watch to end at its timeout"),
	}
	if env.compacts {
		claims = append(claims, gone(ctx, env, page))
	}
	return first(claims...)
}

// gone asks for what the server has forgotten: a page's rest and a watch.
func gone(ctx context.Context, env *environment, page *corev1.ConfigMapList) error {
	if err := createConfigMaps(ctx, env, "q", 110); err != nil {
		return err
	}
	api := env.client.CoreV1().ConfigMaps(env.namespace)
	_, rest := api.List(ctx, metav1.ListOptions{Limit: 40, LabelSelector: "set=p", Continue: page.Continue})
	watcher, err := api.Watch(ctx, metav1.ListOptions{ResourceVersion: page.ResourceVersion})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	event := <-watcher.ResultChan()
	return first(
		expect(apierrors.IsResourceExpired(rest), "an expired page, got %v", rest),
		expect(event.Type == watch.Error && apierrors.IsResourceExpired(apierrors.FromObject(event.Object)),
			"an expired watch, got %v", event),
	)
}
